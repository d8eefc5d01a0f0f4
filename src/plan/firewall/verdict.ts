/** What the firewall does with a packet: every base chain at a hook must let it pass (nft(8), "CHAINS"). */
import { isIPv6, type Packet, readRule } from './match.ts';
import type { Chain } from './ruleset.ts';

/** Who does not let it pass. */
export interface Drop {
  readonly chain: Chain;
  /** As nft prints it; undefined: no rule, the chain's policy. */
  readonly rule?: string;
  /** The chain that has the rule. */
  readonly in?: string;
}

/** Rules that jump further than this are none that the kernel takes (NFT_JUMP_STACK_SIZE in linux/net/netfilter/nf_tables.h). */
const MAX_JUMPS = 16;

/** One per base chain that drops it. A rule that nobody understands is passed by. */
export function dropsOf(chains: readonly Chain[], hook: string, packet: Packet): readonly Drop[] {
  return chains
    .filter((chain) => chain.hook === hook && chain.family !== (isIPv6(packet) ? 'ip' : 'ip6') && !chain.ours)
    .flatMap((chain): readonly Drop[] => {
      const end = walk(chain, chains, packet, 0);
      if (end?.verdict === 'accept') return [];
      if (end !== undefined) return [{ chain, rule: end.rule, in: end.in }];
      return chain.policy === 'drop' ? [{ chain }] : [];
    });
}

interface End {
  readonly verdict: 'accept' | 'drop';
  readonly rule: string;
  readonly in: string;
}

function walk(chain: Chain, chains: readonly Chain[], packet: Packet, depth: number): End | undefined {
  for (const rule of chain.rules) {
    const { matches, verdict, to } = readRule(rule, packet);
    if (matches !== true || verdict === 'continue') continue;
    if (verdict === 'accept' || verdict === 'queue') return { verdict: 'accept', rule, in: chain.name };
    if (verdict === 'drop' || verdict === 'reject') return { verdict: 'drop', rule, in: chain.name };
    if (verdict === 'return') return undefined;
    const next = chains.find(
      ({ family, table, name }) => family === chain.family && table === chain.table && name === to,
    );
    const end = next === undefined || depth > MAX_JUMPS ? undefined : walk(next, chains, packet, depth + 1);
    if (end !== undefined) return end;
    // Nothing comes back from a goto.
    if (verdict === 'goto') return undefined;
  }
  return undefined;
}
