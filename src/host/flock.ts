/**
 * Locks that die with their holders: flock(2) on a descriptor. Node has no flock, so flock(1) takes it on a
 * descriptor of ours that it inherits; the lock stays when flock(1) ends, and with every child that is given
 * the descriptor. Order, so that nobody waits in a circle: VM, then host, then group.
 */

import { spawn } from 'node:child_process';
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  writeSync,
} from 'node:fs';
import { basename, dirname } from 'node:path';
import { EXIT, QlaunchError } from '../errors.ts';
import { shellWord } from '../plan/shell.ts';
import { which } from './linux-files.ts';
import { secureDirectory } from './store.ts';
import { asOwner } from './vm/user.ts';

export interface Lock {
  /** May be handed to children in `stdio`: then the lock is theirs as well. */
  readonly fd: number;
  /** Gives up our share. The lock is free when no child holds the descriptor either. */
  release(): void;
}

export interface LockOrder {
  /** Who we are, for those who have to wait: "qlaunch net start default". */
  readonly what: string;
  readonly waitMs: number;
  /**
   * What the lock's directory must be. `secure` (unless given): ours alone, like all above it (secureDirectory), for
   * what is read there is run later. `private`: there, and not for others to write; it may be another user's (a VM's,
   * when root asks), and the lock is opened with that user's rights.
   */
  readonly dir?: 'secure' | 'private';
}

/** flock(1) ends with this when somebody else has the lock (its -E). */
const TAKEN = 75;
/** More than any command of ours is long. */
const HOLDER_BYTES = 256;

/** Throws QL_LOCKED (exit 5), which names the holder, when the lock is not free in time; QL_STATE_UNSAFE. */
export async function holdLock(path: string, order: LockOrder): Promise<Lock> {
  const fd = order.dir === 'private' ? openPrivate(path) : openSecure(path);
  const status = await flock(fd, order.waitMs).catch((error: unknown) => error);
  if (status !== 0) {
    const holder = status === TAKEN ? readHolder(fd) : '';
    // First, so that we do not find ourselves among those who have it.
    closeSync(fd);
    throw status === TAKEN ? locked(path, order, holder) : new Error(`flock on ${path}: ${String(status)}`);
  }
  sign(fd, order.what);
  let held = true;
  return {
    fd,
    release() {
      if (held) closeSync(fd);
      held = false;
    },
  };
}

export async function withLock<T>(
  path: string,
  order: LockOrder,
  work: (lock: Lock) => Promise<T>,
): Promise<T> {
  const lock = await holdLock(path, order);
  try {
    return await work(lock);
  } finally {
    lock.release();
  }
}

const OPEN = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;

function openSecure(path: string): number {
  secureDirectory(dirname(path));
  return openSync(path, OPEN, 0o600);
}

function openPrivate(path: string): number {
  const dir = dirname(path);
  const owner = lstatSync(dir);
  if (!owner.isDirectory()) throw unsafe(dir, 'it is not a directory');
  if ((owner.mode & 0o022) !== 0) throw unsafe(dir, 'others may write there');
  const fd = asOwner(owner, () => openSync(path, OPEN, 0o600));
  const stat = fstatSync(fd);
  // It is going to be written to.
  if (stat.isFile() && stat.nlink <= 1) return fd;
  closeSync(fd);
  throw unsafe(path, stat.isFile() ? 'the file has a second name' : 'it is not a file');
}

function unsafe(path: string, why: string): QlaunchError {
  return new QlaunchError('QL_STATE_UNSAFE', EXIT.refused, {
    what: `will not lock ${path}`,
    why: [why],
    todo: [`ls -ld ${shellWord(path)}`],
  });
}

/** flock(2) with LOCK_EX and LOCK_NB: 0 when it is ours now. Of a runtime that can call it; Node can not. */
let tryFlock: ((fd: number) => number) | undefined;

/** Saves a process for every lock that is free. */
export function useFlock(call: (fd: number) => number): void {
  tryFlock = call;
}

async function flock(fd: number, waitMs: number): Promise<number | null> {
  if (tryFlock?.(fd) === 0) return 0;
  const wait = waitMs <= 0 ? ['-n'] : ['-w', (waitMs / 1000).toFixed(3)];
  return new Promise((resolve, reject) => {
    const child = spawn(which('flock') ?? 'flock', ['-x', '-E', `${TAKEN}`, ...wait, '3'], {
      stdio: ['ignore', 'ignore', 'inherit', fd],
    });
    child.on('error', reject);
    child.on('close', resolve);
  });
}

/** For whoever has to wait. The lock is held without it too: a full /run must not keep anybody from stopping a VM. */
function sign(fd: number, what: string): void {
  try {
    ftruncateSync(fd, 0);
    writeSync(fd, `${process.pid} ${what}\n`, 0);
  } catch {
    // Then the message says "somebody".
  }
}

/** "PID what it does" */
function readHolder(fd: number): string {
  const text = Buffer.alloc(HOLDER_BYTES);
  return text.toString('utf8', 0, readSync(fd, text, 0, HOLDER_BYTES, 0)).trim();
}

function locked(path: string, order: LockOrder, holder: string): QlaunchError {
  const [, pid = '', what = ''] = /^(\d+) (.*)/.exec(holder) ?? [];
  const taker = pid === '' ? 'somebody' : `"${what}" (pid ${pid})`;
  const heirs = pidsHolding(path).filter((holder) => `${holder}` !== pid);
  const lives = pid !== '' && hasOpen(pid, path);
  const why =
    lives || heirs.length === 0
      ? `${taker} has it`
      : `${taker} took it, and pid ${heirs.join(', ')}, which it started, still has it`;
  return new QlaunchError('QL_LOCKED', EXIT.stuck, {
    what: `could not get the lock ${basename(path)} for "${order.what}" within ${order.waitMs / 1000} s`,
    why: [why],
    todo: [
      'wait for it to end, then try again',
      `ps -fp ${lives || heirs.length === 0 ? pid : heirs.join(',')}`,
    ],
  });
}

/** Who has the file open. Only on contention: it looks at every process we may look at. */
function pidsHolding(path: string): readonly number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && name !== `${process.pid}`);
  return pids.filter((pid) => hasOpen(pid, path)).map(Number);
}

function hasOpen(pid: string, path: string): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`) === path);
  } catch {
    return false;
  }
}
