/** Who keeps a tap open: QEMU, among those that started us. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { ProcessId, World } from '../port.ts';

/**
 * The oldest of our ancestors that has the tap open. A script's parent need not be QEMU: there may be another script,
 * or sudo, in between, which has it only by inheritance or not at all. undefined when none has: somebody called us by hand.
 */
export function tapHolder(world: World, ifname: string): ProcessId | undefined {
  let found: number | undefined;
  for (let pid = process.ppid; pid > 0; pid = parentOf(pid)) {
    if (hasOpen(pid, ifname)) found = pid;
    else if (found !== undefined) break;
  }
  return found === undefined ? undefined : world.process(found);
}

/** 0 when there is none we can see. */
function parentOf(pid: number): number {
  const stat = readOrNothing(`/proc/${pid}/stat`);
  // The second field is the name in parentheses and may hold anything.
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1] ?? 0);
}

/** tun_chr_show_fdinfo() in linux/drivers/net/tun.c: "iff:\tNAME". */
function hasOpen(pid: number, ifname: string): boolean {
  try {
    const fds = readdirSync(`/proc/${pid}/fd`).filter((fd) => isTun(`/proc/${pid}/fd/${fd}`));
    return fds.some((fd) => readOrNothing(`/proc/${pid}/fdinfo/${fd}`).includes(`\niff:\t${ifname}\n`));
  } catch {
    return false;
  }
}

function isTun(link: string): boolean {
  try {
    return readlinkSync(link).endsWith('/net/tun');
  } catch {
    return false;
  }
}

function readOrNothing(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
