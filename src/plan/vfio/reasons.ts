/** Through bonds, bridges and VLANs down: why the host needs what is below. */
import type { Netdev, NetReason, VfioFacts } from './facts.ts';

/** One way from an interface to something the host lives on. */
export interface Chain {
  /** eth1, bond0, br0 */
  readonly path: readonly string[];
  readonly why: readonly string[];
}

/** All interfaces that stand on `name`, each with the way to it, the nearest first. */
export function chainsFrom(name: string, facts: Pick<VfioFacts, 'netdevs' | 'reasons'>): readonly Chain[] {
  const found: Chain[] = [];
  const seen = new Set<string>();
  const walk = (at: string, path: readonly string[]): void => {
    if (seen.has(at)) return;
    seen.add(at);
    const here = [...path, at];
    const why = facts.reasons.filter((reason) => reason.name === at).map((reason: NetReason) => reason.why);
    if (why.length > 0) found.push({ path: here, why });
    for (const upper of uppers(at, facts.netdevs)) walk(upper, here);
  };
  walk(name, []);
  return found;
}

/** What is directly above. Ports of Open vSwitch do not say to which of its interfaces they lead: to any. */
function uppers(name: string, netdevs: readonly Netdev[]): readonly string[] {
  const dev = netdevs.find((one) => one.name === name);
  const above = netdevs.filter(({ lower }) => lower === name).map((one) => one.name);
  if (dev?.master === undefined) return above;
  if (dev.master !== 'ovs-system') return [dev.master, ...above];
  return [...netdevs.filter(({ kind }) => kind === 'openvswitch').map((one) => one.name), ...above];
}

/** "eth1 → bond0 → br0 (default route, your SSH session)". */
export const renderChain = ({ path, why }: Chain): string => `${path.join(' → ')} (${why.join(', ')})`;
