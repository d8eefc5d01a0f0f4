/** What the firewall does with a packet: every base chain at a hook must let it pass (nft(8), "CHAINS"). */
import { isIPv6, type Packet, readRule } from './match.ts';
import type { Chain } from './ruleset.ts';

/** Where in a table an accept has to stand to be met in time. */
export interface Place {
  readonly chain: string;
  /** The number of a rule, from 0; undefined: at the end of the chain. */
  readonly before?: number;
}

/** Who does not let it pass. */
export interface Drop {
  /** The base chain. */
  readonly chain: Chain;
  /** As nft prints it; undefined: no rule, the chain's policy. */
  readonly rule?: string;
  /** Right before what drops it, so that all that is decided earlier stays so. */
  readonly at: Place;
}

/** Rules that jump further than this are none that the kernel takes (NFT_JUMP_STACK_SIZE in linux/net/netfilter/nf_tables.h). */
const MAX_JUMPS = 16;

/** One per base chain that drops it. A rule that nobody understands is passed by. */
export function dropsOf(chains: readonly Chain[], hook: string, packet: Packet): readonly Drop[] {
  return chains
    .filter((chain) => chain.hook === hook && chain.family !== (isIPv6(packet) ? 'ip' : 'ip6') && !chain.ours)
    .flatMap((chain): readonly Drop[] => {
      const { verdict, rule, at } = walk(chain, chains, packet, 0);
      if (verdict === 'accept') return [];
      if (verdict === 'drop') return [{ chain, at, ...(rule === undefined ? {} : { rule }) }];
      return chain.policy === 'drop' ? [{ chain, at }] : [];
    });
}

interface End {
  /** `none`: it came to the end, or back. */
  readonly verdict: 'accept' | 'drop' | 'none';
  readonly rule?: string;
  readonly at: Place;
}

function walk({ rules, name, ...of }: Chain, chains: readonly Chain[], packet: Packet, depth: number): End {
  for (const [before, rule] of rules.entries()) {
    const { matches, verdict, to } = readRule(rule, packet);
    const at = { chain: name, before };
    if (matches !== true || verdict === 'continue') continue;
    if (verdict === 'accept' || verdict === 'queue') return { verdict: 'accept', at };
    if (verdict === 'drop' || verdict === 'reject') return { verdict: 'drop', rule, at };
    if (verdict === 'return') return { verdict: 'none', at };
    const next = chains.find((one) => one.family === of.family && one.table === of.table && one.name === to);
    const end: End =
      next === undefined || depth > MAX_JUMPS
        ? { verdict: 'none', at }
        : walk(next, chains, packet, depth + 1);
    // Nothing comes back from a goto.
    if (end.verdict !== 'none' || verdict === 'goto') return end;
  }
  return { verdict: 'none', at: { chain: name } };
}
