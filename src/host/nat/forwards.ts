/** Which ports of this host lead to guests of networks, as the kernel has them. */
import { type LiveForward, parseForwards, parseSavedForwards } from '../../plan/nat/forwards.ts';
import { which } from '../linux-files.ts';
import type { Host } from '../port.ts';
import { savedRules } from './iptables.ts';

const DEADLINE_MS = 10_000;

/** Also where nft has come to a host later. Empty where neither it nor iptables may be asked. */
export async function liveForwards(host: Pick<Host, 'run'>): Promise<readonly LiveForward[]> {
  const [tables, chains] = await Promise.all([nftForwards(host), savedRules(host, 'iptables')]);
  return [...tables, ...parseSavedForwards(chains)];
}

async function nftForwards(host: Pick<Host, 'run'>): Promise<readonly LiveForward[]> {
  if (which('nft') === undefined) return [];
  const { status, stdout } = await host.run(['nft', 'list', 'ruleset', 'inet'], { timeoutMs: DEADLINE_MS });
  return status === 0 ? parseForwards(stdout) : [];
}
