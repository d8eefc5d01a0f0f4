/** Links with counters and addresses, from `ip -j -d -s link`, `ip -j address` and `bridge -j vlan` (iproute2 6.1). */
import { defined } from '../../plan/map/defined.ts';
import type { BoardLink, Counters, LinkAddress } from '../../plan/map/facts.ts';
import { isObject, listOf, numberOf, type Raw, textOf } from '../ip-json.ts';

const NONE: Raw = {};
const objectOf = (value: unknown): Raw => (isObject(value) ? value : NONE);

/** Kinds whose `link` is what they are stacked on; a veth's is its peer. */
const PEERED: ReadonlySet<string> = new Set(['veth', 'netkit']);

export function boardLinks(
  links: readonly Raw[],
  addresses: readonly Raw[],
  vlans: readonly Raw[],
): readonly BoardLink[] {
  const addressesOf = new Map(addresses.map((raw) => [raw['ifindex'], listOf(raw['addr_info'])]));
  const vlansOf = new Map(vlans.map((raw) => [textOf(raw['ifname']), listOf(raw['vlans'])]));
  return links
    .filter((raw) => typeof raw['ifindex'] === 'number')
    .map((raw) =>
      boardLink(raw, addressesOf.get(raw['ifindex']) ?? [], vlansOf.get(textOf(raw['ifname'])) ?? []),
    );
}

function boardLink(raw: Raw, addresses: readonly unknown[], vlans: readonly unknown[]): BoardLink {
  const info = objectOf(raw['linkinfo']);
  const kind = textOf(info['info_kind']);
  const data = objectOf(info['info_data']);
  const slave = textOf(info['info_slave_kind']) === 'bridge' ? objectOf(info['info_slave_data']) : NONE;
  const flags = new Set(listOf(raw['flags']));
  const link = textOf(raw['link']) ?? textOf(data['link']);
  const peered = kind !== undefined && PEERED.has(kind);
  const bus = [textOf(raw['parentbus']), textOf(raw['parentdev'])].filter((word) => word !== undefined);
  const stats = objectOf(raw['stats64']);
  const texts = {
    kind,
    detail: detailOf(kind, data),
    bus: bus.length === 2 ? bus.join(' ') : undefined,
    mac: textOf(raw['address']),
    master: textOf(raw['master']),
    lower: peered ? undefined : link,
    peer: peered ? link : undefined,
    portState: textOf(slave['state']),
    alias: textOf(raw['ifalias']),
    owner: kind === 'tun' ? ownerOf(data) : undefined,
  };
  return {
    ifindex: numberOf(raw['ifindex']),
    name: textOf(raw['ifname']) ?? '',
    ethernet: textOf(raw['link_type']) === 'ether',
    mtu: numberOf(raw['mtu']),
    elsewhere: 'link_netnsid' in raw,
    up: flags.has('UP'),
    carrier: flags.has('LOWER_UP'),
    isolated: slave['isolated'] === true,
    ...(kind === 'bridge' ? bridgeSettings(data) : {}),
    vlans: vlans.filter(isObject).map(vlanOf),
    addresses: addresses.filter(isObject).flatMap(addressOf),
    received: counters(objectOf(stats['rx'])),
    sent: counters(objectOf(stats['tx'])),
    ...defined(texts),
  };
}

function bridgeSettings(data: Raw): Pick<BoardLink, 'stp' | 'vlanFiltering' | 'forwardDelayMs'> {
  return {
    // 2: a program in user space does it.
    stp: numberOf(data['stp_state']) !== 0,
    vlanFiltering: data['vlan_filtering'] === 1,
    // In hundredths of a second (clock_t).
    forwardDelayMs: numberOf(data['forward_delay']) * 10,
  };
}

/** Of a tap: "alice", ":kvm", "alice:kvm"; ip writes a name, or the number where there is none. */
function ownerOf(data: Raw): string | undefined {
  const [user, group] = [data['user'], data['group']];
  if (user === undefined && group === undefined) return undefined;
  return `${user ?? ''}${group === undefined ? '' : `:${group}`}`;
}

function detailOf(kind: string | undefined, data: Raw): string | undefined {
  if (kind === 'tun') return textOf(data['type']);
  if (kind === 'vlan') return `VLAN ${numberOf(data['id'])}`;
  if (kind === 'vxlan') return `vxlan ${numberOf(data['id'])}`;
  const mode = textOf(data['mode']);
  return mode === undefined || kind === undefined ? undefined : `${kind} ${mode}`;
}

function vlanOf(raw: Raw): string {
  const [first, last] = [numberOf(raw['vlan']), raw['vlanEnd']];
  const flags = listOf(raw['flags']);
  const range = typeof last === 'number' ? `${first}-${last}` : `${first}`;
  return flags.includes('PVID') ? `${range} untagged` : range;
}

function addressOf(raw: Raw): readonly LinkAddress[] {
  const local = textOf(raw['local']);
  if (local === undefined) return [];
  return [{ cidr: `${local}/${numberOf(raw['prefixlen'])}`, linkLocal: raw['scope'] === 'link' }];
}

const counters = (raw: Raw): Counters => ({
  bytes: numberOf(raw['bytes']),
  packets: numberOf(raw['packets']),
  errors: numberOf(raw['errors']),
  dropped: numberOf(raw['dropped']),
});
