/** iptables-legacy beside nft: its tables are in the kernel once somebody has asked for them. */
import { hasSay } from '../../plan/firewall/legacy.ts';
import { which } from '../linux-files.ts';
import type { Host } from '../port.ts';

const DEADLINE_MS = 10_000;

/** "iptables-legacy" and "ip6tables-legacy", where they have rules, or nobody can tell. */
export async function legacyFilters(host: Pick<Host, 'run' | 'read'>): Promise<readonly string[]> {
  const both = await Promise.all(
    (['ip', 'ip6'] as const).map(async (family) => {
      // Root's to read.
      const names = await host.read(`/proc/net/${family}_tables_names`).catch(() => undefined);
      if (names?.split('\n').includes('filter') !== true) return [];
      const program = `${family}tables-legacy`;
      if (which(`${program}-save`) === undefined) return [program];
      const { status, stdout } = await host.run([`${program}-save`], { timeoutMs: DEADLINE_MS });
      return status === 0 && !hasSay(stdout) ? [] : [program];
    }),
  );
  return both.flat();
}
