/**
 * Locks that die with their holders: flock(2) on a descriptor. Node has no flock, so flock(1) takes it on a
 * descriptor of ours that it inherits; the lock stays when flock(1) ends, and with every child that is given
 * the descriptor. Order, so that nobody waits in a circle: VM, then host, then group.
 */
import { spawn } from 'node:child_process';
import {
  closeSync,
  constants,
  ftruncateSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeSync,
} from 'node:fs';
import { basename, dirname } from 'node:path';
import { EXIT, QlaunchError } from '../errors.ts';
import { which } from './linux-files.ts';
import { secureDirectory } from './store.ts';

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
}

/** flock(1) ends with this when somebody else has the lock (its -E). */
const TAKEN = 75;

/** Throws QL_LOCKED (exit 5), which names the holder, when the lock is not free in time. */
export async function holdLock(path: string, order: LockOrder): Promise<Lock> {
  secureDirectory(dirname(path));
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
  const status = await flock(fd, order.waitMs).catch((error: unknown) => error);
  if (status !== 0) {
    // First, so that we do not find ourselves among those who have it.
    closeSync(fd);
    throw status === TAKEN ? locked(path, order) : new Error(`flock on ${path}: ${String(status)}`);
  }
  ftruncateSync(fd, 0);
  writeSync(fd, `${process.pid} ${order.what}\n`, 0);
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

function flock(fd: number, waitMs: number): Promise<number | null> {
  const wait = waitMs <= 0 ? ['-n'] : ['-w', (waitMs / 1000).toFixed(3)];
  return new Promise((resolve, reject) => {
    const child = spawn(which('flock') ?? 'flock', ['-x', '-E', `${TAKEN}`, ...wait, '3'], {
      stdio: ['ignore', 'ignore', 'inherit', fd],
    });
    child.on('error', reject);
    child.on('close', resolve);
  });
}

function locked(path: string, order: LockOrder): QlaunchError {
  const [pid = '', ...what] = readFileSync(path, 'utf8').trim().split(' ');
  const taker = pid === '' ? 'somebody' : `"${what.join(' ')}" (pid ${pid})`;
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
