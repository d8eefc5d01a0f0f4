/** Which ports of this host lead to guests of networks, as the kernel has them. */
import { type LiveForward, parseForwards } from '../../plan/nat/forwards.ts';
import { which } from '../linux-files.ts';
import type { Host } from '../port.ts';

const DEADLINE_MS = 10_000;

/** Empty where nft is missing, or may not be asked. */
export async function liveForwards(host: Pick<Host, 'run'>): Promise<readonly LiveForward[]> {
  return (await readForwards(host)) ?? [];
}

/** undefined: nft is missing, or may not be asked. */
export async function readForwards(host: Pick<Host, 'run'>): Promise<readonly LiveForward[] | undefined> {
  if (which('nft') === undefined) return undefined;
  const { status, stdout } = await host.run(['nft', 'list', 'ruleset', 'inet'], { timeoutMs: DEADLINE_MS });
  return status === 0 ? parseForwards(stdout) : undefined;
}
