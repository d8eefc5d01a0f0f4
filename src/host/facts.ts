/** One look at the host before planning. From `ip -j`: /sys may belong to another network namespace. */
import type { AddressFact, BridgeFact, HostFacts, LinkFact, TunFact } from '../plan/facts.ts';
import { newToken } from './ids.ts';
import { askJson, isObject, numberOf as number, type Raw, textOf as text } from './ip-json.ts';
import type { Host } from './port.ts';

export async function readFacts(host: Host, token: string = newToken()): Promise<HostFacts> {
  // With -d it tells of the links what `link show` does.
  const rows = await askJson(host, ['ip', '-j', '-d', 'address', 'show']);
  const shown = rows.filter((raw) => 'ifindex' in raw);
  return { links: shown.map((raw) => linkFact(raw, raw['addr_info'])), token };
}

/** One row of `ip -d -j link` or `ip -d -j address`; `addresses`: the addr_info of the latter. */
export function linkFact(raw: Raw, addresses?: unknown): LinkFact {
  const info = raw['linkinfo'];
  const link = isObject(info) ? info : {};
  const kind = text(link['info_kind']);
  const optional = {
    address: text(raw['address']),
    ifalias: text(raw['ifalias']),
    master: text(raw['master']),
    operstate: text(raw['operstate']),
    kind,
    // A veth's and a netkit's `link` is its peer.
    portState: portState(link),
    lower: kind === 'veth' || kind === 'netkit' ? undefined : text(raw['link']),
  };
  const found = Object.entries(optional).filter(([, value]) => value !== undefined);
  const data = link['info_data'];
  return {
    ifindex: number(raw['ifindex']),
    ifname: text(raw['ifname']) ?? '',
    mtu: number(raw['mtu']),
    flags: Array.isArray(raw['flags']) ? raw['flags'].filter((flag) => typeof flag === 'string') : [],
    link_type: text(raw['link_type']) ?? '',
    addresses: Array.isArray(addresses) ? addresses.flatMap(addressFact) : [],
    ...(optional.portState === undefined ? {} : { promiscuous: number(raw['promiscuity']) > 0 }),
    ...(kind === 'tun' && isObject(data) ? { tun: tunFact(data) } : {}),
    ...(kind === 'bridge' && isObject(data) ? { bridge: bridgeFact(data) } : {}),
    ...(Object.fromEntries(found) as Partial<Record<keyof typeof optional, string>>),
  };
}

function portState(link: Raw): string | undefined {
  const data = link['info_slave_data'];
  return link['info_slave_kind'] === 'bridge' && isObject(data) ? text(data['state']) : undefined;
}

function tunFact(raw: Raw): TunFact {
  const [user, group] = [text(raw['user']), text(raw['group'])];
  return {
    type: raw['type'] === 'tap' ? 'tap' : 'tun',
    ...(user === undefined ? {} : { user }),
    ...(group === undefined ? {} : { group }),
    multiQueue: raw['multi_queue'] === true,
    persist: raw['persist'] === true,
  };
}

function bridgeFact(raw: Raw): BridgeFact {
  const pvid = raw['vlan_default_pvid'];
  return {
    vlanFiltering: raw['vlan_filtering'] === 1,
    defaultPvid: typeof pvid === 'number' ? pvid : 1,
    stp: number(raw['stp_state']) > 0,
    // USER_HZ: hundredths of a second.
    forwardDelayMs: number(raw['forward_delay']) * 10,
  };
}

function addressFact(raw: Raw): AddressFact[] {
  const family = text(raw['family']);
  const local = text(raw['local']);
  if (local === undefined || (family !== 'inet' && family !== 'inet6')) return [];
  return [{ family, local, prefixlen: number(raw['prefixlen']) }];
}
