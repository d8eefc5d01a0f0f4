/** A NIC with addresses and routes of both families, as the files of these tests have it. */
import type { LinkAddress } from '../../../../../src/plan/bridge/address.ts';
import type { ModelFacts } from '../../../../../src/plan/bridge/persist/model.ts';
import type { Route } from '../../../../../src/plan/bridge/route.ts';

export const route = (dst: string, gateway: string): Route => ({
  family: gateway.includes(':') ? ('inet6' as const) : ('inet' as const),
  row: { type: 'unicast', dst, gateway, dev: 'eth0', table: 'main', protocol: 'static', flags: [] },
});
export const address = (local: string, prefixlen: number): LinkAddress => ({
  ...{ family: local.includes(':') ? ('inet6' as const) : ('inet' as const), local, prefixlen },
  ...{ scope: 'global', flags: [] },
});
export const BEFORE: ModelFacts = {
  link: 'eth0',
  addresses: [address('10.9.0.50', 24), address('10.8.0.5', 16), address('fd09::50', 64)],
  routes: [route('default', '10.9.0.1'), route('10.7.0.0/16', '10.8.0.1'), route('default', 'fd09::1')],
  neighbours: [],
  rules: [],
};
