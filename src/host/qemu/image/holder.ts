/** Who uses an image now. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { conflictingLocks, type ImageLock } from '../../../plan/disk/locks.ts';
import { FILES } from '../../../plan/vm/waiter.ts';
import { readProcLocks } from './lock-list.ts';
import type { ImageHead } from './open.ts';

export interface Holder {
  readonly held: ImageLock['held'];
  /** Unknown when the process is another user's. */
  readonly pid?: number;
  /** From its -name. */
  readonly vm?: string;
  /** Started by qlaunch. */
  readonly ours: boolean;
  /** False where stat(2) and /proc/locks number the device differently (btrfs, overlayfs): ask qemu-img. */
  readonly certain: boolean;
}

/** Node cannot fcntl(2), so the kernel's list of locks is read: it shows them, though not who holds them. */
export async function imageHolder(
  head: ImageHead,
  weWrite: boolean,
  procLocks: Promise<string> = readProcLocks(),
): Promise<Holder | undefined> {
  const locks = conflictingLocks(await procLocks, head.inode, weWrite);
  const exact = locks.find((lock) => lock.device === deviceText(head.device));
  const lock = exact ?? locks[0];
  if (!lock) return undefined;
  const pid = processWithOpen(head);
  const { vm, ours } = pid === undefined ? { ours: false } : vmOf(pid);
  return {
    held: lock.held,
    ours,
    certain: exact !== undefined || pid !== undefined,
    ...(pid === undefined ? {} : { pid }),
    ...(vm === undefined ? {} : { vm }),
  };
}

/** Linux's makedev(3), as /proc/locks prints it: `%02x:%02x`. */
function deviceText(device: number): string {
  const major = (device >>> 8) & 0xfff;
  const minor = (device & 0xff) | ((device >>> 12) & 0xfff00);
  return [major, minor].map((part) => part.toString(16).padStart(2, '0')).join(':');
}

function processWithOpen(head: ImageHead): number | undefined {
  for (const pid of readdirSync('/proc').filter(
    (name) => /^\d+$/.test(name) && Number(name) !== process.pid,
  )) {
    for (const fd of list(`/proc/${pid}/fd`)) {
      const stat = statOf(`/proc/${pid}/fd/${fd}`);
      if (stat && stat.ino === head.inode && stat.dev === head.device) return Number(pid);
    }
  }
  return undefined;
}

/** A QEMU of ours has its pid file in a directory called as it is. */
function vmOf(pid: number): { readonly vm?: string; readonly ours: boolean } {
  const argv = argvOf(pid);
  const after = (option: string): string => argv[argv.indexOf(option) + 1] ?? '';
  const vm = argv.includes('-name') ? /^(?:guest=)?([^,]+)/.exec(after('-name'))?.[1] : undefined;
  if (vm === undefined) return { ours: false };
  return { vm, ours: argv.includes('-pidfile') && after('-pidfile').endsWith(`/${vm}/${FILES.pid}`) };
}

function argvOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}

function list(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    // Ended meanwhile, or another user's.
    return [];
  }
}

function statOf(path: string): { ino: number; dev: number } | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}
