import { readFileSync } from 'node:fs';

/** CAP_NET_ADMIN in linux/capability.h */
const NET_ADMIN = 12n;

/** Whether we may change links at all. Scripts of a QEMU with file capabilities may not: they do not inherit them. */
export function mayChangeLinks(): boolean {
  if (process.geteuid?.() === 0) return true;
  const mask = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1];
  return mask !== undefined && ((BigInt(`0x${mask}`) >> NET_ADMIN) & 1n) === 1n;
}
