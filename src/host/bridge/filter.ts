/** What br_netfilter does on this host, and who needs it. */
import { CALLS, callPath, type FilterFacts } from '../../plan/bridge/filter.ts';
import type { LinkFact } from '../../plan/facts.ts';
import { readChains } from '../firewall/read.ts';
import type { Machine } from '../port.ts';

/** Links by the names that each gives, and chains. */
const USERS: readonly (readonly [user: string, link: RegExp, chain: RegExp])[] = [
  ['Docker', /^(docker\d+|br-[0-9a-f]{12})$/, /^DOCKER/],
  ['Kubernetes', /^(cni\d+|cali[0-9a-f]+|flannel\.\d+|kube-\S+|weave|cilium_\S+)$/, /^KUBE-/],
];

export async function readFilter(machine: Machine, links: readonly LinkFact[]): Promise<FilterFacts> {
  const chains = await readChains(machine);
  const calls: Partial<Record<(typeof CALLS)[number], string>> = {};
  for (const call of CALLS) {
    const value = await machine.read(callPath(call));
    if (value !== undefined) calls[call] = value;
  }
  const users = USERS.flatMap(([user, link, chain]) => {
    const by =
      links.find(({ ifname }) => link.test(ifname))?.ifname ??
      chains.find(({ name }) => chain.test(name))?.name;
    return by === undefined ? [] : [`${user} (${by})`];
  });
  return { calls, chains, users };
}
