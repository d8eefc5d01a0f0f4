/** What of IPv6 has to pass the firewall of this host for the guests of a network. */
import { nthAddress } from '../../spec/cidr.ts';
import { formatIp } from '../../spec/ip.ts';
import type { NetworkIp } from '../../spec/nat/network.ts';
import type { DefinedNetwork } from '../nat/defined.ts';
import type { Flow } from './flows.ts';

const ANYWHERE = '2001:db8::9';
/** A guest that has no other address yet. */
const LINK_LOCAL = 'fe80::2';
const [ALL_ROUTERS, ALL_DHCP] = ['ff02::2', 'ff02::1:2'];

/** @param out where the default route goes */
export function flowsOf6(network: DefinedNetwork, ip: NetworkIp, out: string): readonly Flow[] {
  const { bridge, forward, dns } = network;
  const [gateway, guest] = [formatIp(ip.address), formatIp(nthAddress(ip.subnet, 2n) ?? ip.address)];
  const [iif, oif] = [bridge.name, bridge.name];
  const own = { iif, saddr: LINK_LOCAL, state: 'new', sport: 0, dport: 0 } as const;
  const tcp = { proto: 'tcp', sport: 40_000, dport: 443 } as const;
  const ask = { iif, saddr: guest, daddr: gateway, sport: 40_000, dport: 53, state: 'new' } as const;
  return [
    {
      what: 'guests look for a router (IPv6)',
      hook: 'input',
      packet: { ...own, proto: 'icmpv6', type: 'nd-router-solicit', daddr: ALL_ROUTERS },
    },
    {
      what: 'guests look for this host (IPv6)',
      hook: 'input',
      packet: { ...own, proto: 'icmpv6', type: 'nd-neighbor-solicit', daddr: gateway },
    },
    ...(ip.dhcp === undefined
      ? []
      : [
          {
            what: 'guests ask for an address (IPv6)',
            hook: 'input',
            packet: { ...own, proto: 'udp', daddr: ALL_DHCP, sport: 546, dport: 547 },
          } as const,
        ]),
    ...(dns
      ? ([
          { what: 'guests ask for names (IPv6)', hook: 'input', packet: { ...ask, proto: 'udp' } },
          { what: 'guests ask for names (IPv6, TCP)', hook: 'input', packet: { ...ask, proto: 'tcp' } },
        ] as const)
      : []),
    ...(forward.mode === 'none'
      ? []
      : ([
          {
            what: 'guests reach out (IPv6)',
            hook: 'forward',
            packet: { ...tcp, iif, oif: out, saddr: guest, daddr: ANYWHERE, state: 'new' },
          },
          {
            what: 'answers come back to guests (IPv6)',
            hook: 'forward',
            packet: { ...tcp, iif: out, oif, saddr: ANYWHERE, daddr: guest, state: 'established' },
          },
        ] as const)),
  ];
}
