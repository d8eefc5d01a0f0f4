/** Rules of others that are asked before ours. An accept of iptables is the last word in its table: what follows is not asked. */
import { savedTable } from './chains.ts';

const GUARD = / -j ql-[0-9a-f]{12}-guard$/;

/** Deeper than any firewall that people make. */
const MAX_JUMPS = 16;

/**
 * dockerd, for one, puts its jumps at the head of FORWARD whenever it starts.
 * @param saved `iptables-save`
 * @returns the first rule that may let pass what the guard of the prefix refuses
 */
export function beforeGuard(saved: string, prefix: string): string | undefined {
  const filter = savedTable(saved, 'filter').split('\n');
  const rules = filter.filter((line) => line.startsWith('-A FORWARD '));
  const at = rules.findIndex((line) => line.endsWith(` -j ${prefix}-guard`));
  return rules.slice(0, Math.max(at, 0)).find((line) => !GUARD.test(line) && mayAccept(line, filter, 0));
}

function mayAccept(rule: string, filter: readonly string[], depth: number): boolean {
  const target = / -[jg] (\S+)/.exec(rule)?.[1] ?? '';
  if (['ACCEPT', 'QUEUE', 'NFQUEUE'].includes(target) || depth > MAX_JUMPS) return true;
  // In FORWARD itself that is its policy; in a chain that was jumped to, the way back.
  if (target === 'RETURN') return depth === 0;
  return filter.some((line) => line.startsWith(`-A ${target} `) && mayAccept(line, filter, depth + 1));
}
