/** qlaunch net info */
import { EXIT } from '../../errors.ts';
import { definitionOf } from '../../run/nat/definitions.ts';
import { needsMending } from '../../run/nat/state.ts';
import { formatIp } from '../../spec/ip.ts';
import { json, out } from '../terminal.ts';
import { activeNow, context } from './context.ts';

export async function info(name: string, options: { readonly json?: boolean }): Promise<number> {
  const { engine, places } = context();
  const { network, builtIn, warnings } = await definitionOf(engine, places, name);
  const active = (await activeNow()).find((one) => one.name === name);
  const addresses = network.ips.map(({ address, subnet }) => `${formatIp(address)}/${subnet.prefix}`);
  const facts = {
    name,
    uuid: network.uuid,
    active: active !== undefined,
    defined: builtIn !== true,
    bridge: active?.bridge ?? network.bridge.name,
    mac: network.mac,
    mode: active?.mode ?? network.forward.mode,
    addresses: active?.addresses ?? addresses,
    dnsmasqPid: active?.dnsmasqPid ?? null,
    ports: active?.ports ?? [],
    warnings,
  };
  if (options.json === true) {
    json(facts);
    return EXIT.ok;
  }
  const dnsmasq =
    active === undefined || !active.dnsmasq
      ? '-'
      : needsMending(active)
        ? 'has ended'
        : `pid ${active.dnsmasqPid}`;
  const lines: readonly (readonly [string, string])[] = [
    ['network', name],
    ['uuid', network.uuid ?? '-'],
    ['state', active === undefined ? 'stopped' : 'started'],
    ['definition', builtIn === true ? 'built in' : places.definition(name).file],
    ['bridge', `${facts.bridge}${network.mac === undefined ? '' : ` (${network.mac})`}`],
    ['mode', facts.mode],
    ['addresses', facts.addresses.join(', ') || '-'],
    ['dnsmasq', dnsmasq],
    ['ports', facts.ports.join(', ') || '-'],
  ];
  out([...lines.map(([key, value]) => `${key.padEnd(12)}${value}`), ...warnings].join('\n'));
  return EXIT.ok;
}
