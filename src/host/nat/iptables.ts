/** iptables, which takes nft's place where that is missing. */
import type { Saved } from '../../plan/nat/chains.ts';
import { which } from '../linux-files.ts';
import type { Host } from '../port.ts';

const DEADLINE_MS = 10_000;

/** Its own programs come with it. */
export const hasOnlyIptables = (): boolean =>
  which('nft') === undefined && which('iptables-restore') !== undefined;

export async function readIptables(host: Pick<Host, 'run'>): Promise<Saved | undefined> {
  return hasOnlyIptables() ? readSaved(host) : undefined;
}

/** Both families; empty where only root may ask. */
export async function readSaved(host: Pick<Host, 'run'>): Promise<Saved> {
  if (process.geteuid?.() !== 0) return {};
  const [four, six] = await Promise.all([savedRules(host, 'iptables'), savedRules(host, 'ip6tables')]);
  return { 4: four ?? '', 6: six ?? '' };
}

/** All tables that are in use: one that is named would be made (iptables-legacy-save). undefined: missing, or it refuses. */
export async function savedRules(
  host: Pick<Host, 'run'>,
  program: 'iptables' | 'ip6tables',
): Promise<string | undefined> {
  const save = `${program}-save` as const;
  if (which(save) === undefined) return undefined;
  const { status, stdout } = await host.run([save], { timeoutMs: DEADLINE_MS });
  return status === 0 ? stdout : undefined;
}
