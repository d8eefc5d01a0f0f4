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
  /** False where only the inode's number is that of a lock (another file system's, or btrfs, overlayfs): ask qemu-img. */
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
  if (!locks[0]) return undefined;
  // stat(2) and /proc/locks number a device differently on btrfs and overlayfs; of what it has open a process tells.
  const own = processesWithOpen(head).flatMap(({ pid, locks: text }) =>
    conflictingLocks(text, head.inode, weWrite).map(({ held }) => ({ pid, held })),
  )[0];
  const pid = own?.pid;
  const { vm, ours } = pid === undefined ? { ours: false } : vmOf(pid);
  return {
    held: (exact ?? own ?? locks[0]).held,
    ours,
    certain: exact !== undefined || own !== undefined,
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

/** With the locks of that descriptor, as lines of /proc/locks; proc(5), /proc/PID/fdinfo. */
function processesWithOpen(head: ImageHead): readonly { readonly pid: number; readonly locks: string }[] {
  const others = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  return others.flatMap((pid) =>
    list(`/proc/${pid}/fd`).flatMap((fd) => {
      const stat = statOf(`/proc/${pid}/fd/${fd}`);
      if (stat?.ino !== head.inode || stat.dev !== head.device) return [];
      return [{ pid: Number(pid), locks: textOf(`/proc/${pid}/fdinfo/${fd}`).replaceAll(/^lock:\s*/gm, '') }];
    }),
  );
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
  return textOf(`/proc/${pid}/cmdline`).split('\0');
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // Ended meanwhile, or another user's.
    return '';
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
