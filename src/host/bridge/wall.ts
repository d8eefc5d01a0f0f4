/** The firewalls of this host with their sets, for the rules that name a NIC. */
import type { Wall } from '../../plan/bridge/wall.ts';
import { parseSets } from '../../plan/bridge/wall-set.ts';
import { parseRuleset } from '../../plan/firewall/ruleset.ts';
import { which } from '../linux-files.ts';
import type { Host } from '../port.ts';

const DEADLINE_MS = 10_000;

/** Of others; empty where nft is missing, or may not be asked. */
export async function readWall(host: Pick<Host, 'run'>): Promise<Wall> {
  if (which('nft') === undefined) return { chains: [], sets: [] };
  const { status, stdout } = await host.run(['nft', '-a', 'list', 'ruleset'], { timeoutMs: DEADLINE_MS });
  if (status !== 0) return { chains: [], sets: [] };
  return { chains: parseRuleset(stdout).filter(({ ours }) => !ours), sets: parseSets(stdout) };
}
