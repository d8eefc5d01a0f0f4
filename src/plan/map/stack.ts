/** What a device is stacked on: a VLAN on a bond on two NICs, a macvlan on a NIC. */
import type { BoardLink } from './facts.ts';

export interface Stack {
  /** From the bottom up, a bond's members together, itself last: [["eth0","eth1"],["bond0"],["bond0.5"]]. */
  readonly levels: readonly (readonly string[])[];
  /** Every name in it. */
  readonly parts: readonly string[];
  /** A device of hardware is at the bottom. */
  readonly hardware: boolean;
}

const BUNDLES: ReadonlySet<string> = new Set(['bond', 'team']);
/** Packets go on in packets of their own: what such a device is stacked on is not its uplink. */
const TUNNELS = /^(vxlan|geneve|gre|gretap|ip6gre|ip6gretap|ipip|sit|vti|wireguard|tun)$/;
/** More levels than anybody stacks; the kernel allows 8 (MAX_NEST_DEV in linux/netdevice.h). */
const MAX_LEVELS = 9;

export function stackOf(link: BoardLink, links: readonly BoardLink[]): Stack {
  const below = lowerOf(link, links);
  const levels: (readonly string[])[] = [[link.name]];
  let bottom: readonly BoardLink[] = [link];
  for (let next = below; next.length > 0 && levels.length < MAX_LEVELS; ) {
    levels.unshift(next.map(({ name }) => name));
    bottom = next;
    next = next.flatMap((one) => lowerOf(one, links));
  }
  return { levels, parts: levels.flat(), hardware: bottom.some(isHardware) };
}

function lowerOf(link: BoardLink, links: readonly BoardLink[]): readonly BoardLink[] {
  if (link.kind !== undefined && BUNDLES.has(link.kind))
    return links.filter(({ master }) => master === link.name);
  if (link.lower === undefined || (link.kind !== undefined && TUNNELS.test(link.kind))) return [];
  return links.filter(({ name }) => name === link.lower);
}

const isHardware = ({ kind, ethernet }: BoardLink): boolean => kind === undefined && ethernet;
