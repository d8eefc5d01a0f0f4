/** Which ports of this host lead to guests of networks, as the kernel has them. */
import { type LiveForward, parseForwards, parseSavedForwards } from '../../plan/nat/forwards.ts';
import { which } from '../linux-files.ts';
import type { Host } from '../port.ts';
import { savedRules } from './iptables.ts';

const DEADLINE_MS = 10_000;

/** Also where nft has come to a host later. Empty where neither it nor iptables may be asked. */
export async function liveForwards(host: Pick<Host, 'run'>): Promise<readonly LiveForward[]> {
  const { tables, saved } = await ask(host);
  return [...(tables ?? []), ...(saved ?? [])];
}

/** All of them. undefined: a program that may have some is missing, may not be asked, or refuses. */
export async function readForwards(host: Pick<Host, 'run'>): Promise<readonly LiveForward[] | undefined> {
  const { tables, saved } = await ask(host);
  if (tables === undefined && (saved === undefined || which('nft') !== undefined)) return undefined;
  return [...(tables ?? []), ...(saved ?? [])];
}

interface Told {
  readonly tables: readonly LiveForward[] | undefined;
  readonly saved: readonly LiveForward[] | undefined;
}

async function ask(host: Pick<Host, 'run'>): Promise<Told> {
  const [tables, chains] = await Promise.all([nftForwards(host), savedRules(host, 'iptables')]);
  return { tables, saved: chains === undefined ? undefined : parseSavedForwards(chains) };
}

async function nftForwards(host: Pick<Host, 'run'>): Promise<readonly LiveForward[] | undefined> {
  if (which('nft') === undefined) return undefined;
  const { status, stdout } = await host.run(['nft', 'list', 'ruleset', 'inet'], { timeoutMs: DEADLINE_MS });
  return status === 0 ? parseForwards(stdout) : undefined;
}

/** Tables for bridges that have rules: "bridge qlaunch_0123456789ab". undefined: as above. */
export async function bridgeTables(host: Pick<Host, 'run'>): Promise<ReadonlySet<string> | undefined> {
  if (which('nft') === undefined) return undefined;
  const { status, stdout } = await host.run(['nft', 'list', 'ruleset', 'bridge'], { timeoutMs: DEADLINE_MS });
  if (status !== 0) return undefined;
  const parts = stdout.split(/^table (?=bridge )/m).filter((part) => /\bdrop\b/.test(part));
  return new Set(parts.map((part) => part.slice(0, part.indexOf(' {'))));
}
