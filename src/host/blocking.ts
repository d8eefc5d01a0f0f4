/**
 * Attributes that may sleep in the kernel for ever: unbinding a driver waits for whoever has the device open. A child can
 * be left behind, a thread of ours can not.
 */
import type { Argv } from '../plan/step.ts';
import type { RunOptions, RunResult } from './port.ts';

type Run = (argv: Argv, how?: RunOptions) => Promise<RunResult>;

const READ_MS = 5_000;

export async function readBlocking(path: string, run: Run): Promise<string | undefined> {
  const result = await run(['cat', path], { timeoutMs: READ_MS });
  if (result.status === 0) return result.stdout.replace(/\n$/, '');
  const error = failure(path, result, 'read');
  if (error.code === 'ENOENT') return undefined;
  throw error;
}

/** dd tells what the kernel said; dash's printf calls everything an I/O error. One read, one write. */
export async function writeBlocking(
  path: string,
  value: string,
  run: Run,
  timeoutMs?: number,
): Promise<void> {
  const deadline = timeoutMs === undefined ? {} : { timeoutMs };
  const result = await run(['dd', `of=${path}`, 'bs=4096', 'conv=notrunc'], { stdin: value, ...deadline });
  if (result.status !== 0) throw failure(path, result, 'write');
}

const ERRNO: readonly (readonly [string, string])[] = [
  ['Permission denied', 'EACCES'],
  ['not permitted', 'EPERM'],
  ['Device or resource busy', 'EBUSY'],
  ['No such device', 'ENODEV'],
  ['Invalid argument', 'EINVAL'],
  ['nonexistent', 'ENOENT'],
  ['No such file', 'ENOENT'],
  ['allocate memory', 'ENOMEM'],
  ['No space left', 'ENOSPC'],
  ['out of range', 'ERANGE'],
  ['Input/output error', 'EIO'],
  ['I/O error', 'EIO'],
];

function failure(path: string, result: RunResult, syscall: string): NodeJS.ErrnoException {
  const text = result.stderr.trim();
  const code = result.timedOut ? 'ETIMEDOUT' : (ERRNO.find(([words]) => text.includes(words))?.[1] ?? 'EIO');
  return Object.assign(new Error(`${code}: ${syscall} ${path}: ${text}`), { code, path, syscall });
}
