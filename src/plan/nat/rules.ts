/**
 * What passes the firewall of a network, in words of its own: nft.ts and iptables.ts say it to the kernel. It is what libvirt
 * lets pass (its src/network/network_nftables.c): between guests, out from the subnet, back in what belongs to it, nothing
 * else.
 */
import { type Cidr, contains, formatCidr } from '../../spec/cidr.ts';
import { formatIp } from '../../spec/ip.ts';
import type { Forwarding, NetworkIp } from '../../spec/nat/network.ts';
import type { DefinedNetwork } from './defined.ts';
import { LOOPBACK } from './localnet.ts';

export type Match =
  /** An interface. */
  | readonly ['in' | 'out', name: string]
  /** "192.168.122.0/24", or one address. */
  | readonly ['from' | 'to' | 'not to', addresses: string]
  | readonly ['proto', 'tcp' | 'udp']
  /** `answers`: of a connection that is known; `forwarded`: its destination was rewritten; `syn`: it opens a connection. */
  | readonly ['answers' | 'forwarded' | 'syn'];

/** Source addresses are rewritten: to that of the interface, or to one of these. */
export interface Translate {
  readonly family: 4 | 6;
  readonly to?: { readonly start: string; readonly end: string };
  /** "1024-65535" */
  readonly ports?: string;
}

export interface Rule {
  readonly match: readonly Match[];
  /** `clamp`: the segment size to the MTU of the way. */
  readonly verdict: 'accept' | 'drop' | 'reject' | 'return' | 'clamp' | Translate;
}

/** By the hook where they stand. */
export interface Rules {
  /** Before conntrack. */
  readonly guard: readonly Rule[];
  readonly forward: readonly Rule[];
  readonly mss: readonly Rule[];
  readonly postrouting: readonly Rule[];
}

export const rulesOf = (network: DefinedNetwork): Rules => ({
  guard: guardRules(network),
  forward: forwardRules(network),
  mss: mssRules(network),
  postrouting: network.ips.flatMap((ip) => natRules(network.forward, ip)),
});

/**
 * Before conntrack, which gives an answer of a forward the address 127.0.0.1 only later. With route_localnet this host
 * would believe a guest that it comes from there, too.
 */
function guardRules({ bridge, forward }: DefinedNetwork): readonly Rule[] {
  if (forward.mode !== 'nat') return [];
  return (['to', 'from'] as const).map((end) => ({
    match: [
      ['in', bridge.name],
      [end, LOOPBACK],
    ],
    verdict: 'drop',
  }));
}

function forwardRules({ bridge: { name }, forward, ips, isolated }: DefinedNetwork): readonly Rule[] {
  if (forward.mode === 'open') return [];
  const inward: Match = ['out', name];
  const outward: Match = ['in', name];
  const dev = (side: 'in' | 'out'): readonly Match[] =>
    forward.dev === undefined ? [] : [[side, forward.dev]];
  const state = (ip: NetworkIp): readonly Match[] => (isNated(forward, ip) ? [['answers']] : []);
  const open = forward.mode === 'none' ? [] : ips;
  return [
    // Isolated ports do not reach each other by way of this host either.
    ...(isolated ? [] : [{ match: [outward, inward], verdict: 'accept' } as const]),
    // What somebody forwards to a guest is meant to get there.
    ...(forward.mode === 'nat' ? [{ match: [inward, ['forwarded']], verdict: 'accept' } as const] : []),
    ...open.map((ip): Rule => {
      const to: Match = ['to', formatCidr(ip.subnet)];
      return { match: [inward, ...dev('in'), to, ...state(ip)], verdict: 'accept' };
    }),
    { match: [inward], verdict: 'reject' },
    ...open.map((ip): Rule => {
      const from: Match = ['from', formatCidr(ip.subnet)];
      return { match: [outward, ...dev('out'), from], verdict: 'accept' };
    }),
    { match: [outward], verdict: 'reject' },
  ];
}

/** A guest behind an uplink with a smaller MTU (PPPoE, VPN) need not rely on ICMP to find it out. */
function mssRules({ bridge: { name }, forward }: DefinedNetwork): readonly Rule[] {
  if (forward.mode === 'none' || forward.mode === 'open') return [];
  return (['in', 'out'] as const).map((side) => ({ match: [[side, name], ['syn']], verdict: 'clamp' }));
}

/** RFC 4193: addresses that no router outside knows a way to. */
const UNIQUE_LOCAL: Cidr = { first: { family: 6, value: 0xfcn << 120n }, prefix: 7 };

/** All of IPv4; of IPv6 what is asked for, and unless something is, what could not get an answer otherwise. */
function isNated({ mode, nat6 }: Forwarding, { address }: NetworkIp): boolean {
  if (mode !== 'nat' || address.family === 4) return mode === 'nat';
  return nat6 ?? contains(UNIQUE_LOCAL, address);
}

/** To these nobody answers but who is on the same wire. */
const ON_THE_WIRE = { 4: ['224.0.0.0/24', '255.255.255.255'], 6: ['ff02::/16'] } as const;

/** No source port below 1024: servers (NFS) take such a port for a sign that root of this host speaks. */
function natRules(forward: Forwarding, ip: NetworkIp): readonly Rule[] {
  const { dev, ports: range, addresses } = forward;
  if (!isNated(forward, ip)) return [];
  const { family } = ip.address;
  const net = formatCidr(ip.subnet);
  const away: readonly Match[] = [
    ['from', net],
    ['not to', net],
    ...(dev === undefined ? [] : [['out', dev] as const]),
  ];
  const own = addresses?.start.family === family ? addresses : undefined;
  const to = own === undefined ? {} : { to: { start: formatIp(own.start), end: formatIp(own.end) } };
  const ports = `${range?.start ?? 1024}-${range?.end ?? 65_535}`;
  return [
    ...ON_THE_WIRE[family].map(
      (there): Rule => ({
        match: [
          ['from', net],
          ['to', there],
        ],
        verdict: 'return',
      }),
    ),
    ...(['tcp', 'udp'] as const).map(
      (proto): Rule => ({ match: [['proto', proto], ...away], verdict: { family, ...to, ports } }),
    ),
    { match: away, verdict: { family, ...to } },
  ];
}
