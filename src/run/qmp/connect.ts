/** Reaching a QEMU by the path of its monitor socket. */
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { openQmp, type QmpClient, type QmpOptions } from './client.ts';
import { busy, unreachable } from './failure.ts';

export interface ConnectOptions extends Omit<QmpOptions, 'where' | 'greetingMs' | 'noGreeting'> {
  /**
   * For a QEMU that was spawned just now: keep trying until it listens and greets, this long in all.
   * Without it there is one attempt, and a greeting that does not come within 1 s means busy.
   */
  readonly deadlineMs?: number;
}

/** Between two attempts. One attempt costs about 0.1 ms, and a start of QEMU takes 60 ms or more. */
const RETRY_MS = 2;

/**
 * Errors: QL_QMP_UNREACHABLE (nobody listens), QL_QMP_BUSY, QL_QMP_SILENT (deadlineMs passed), QL_QMP_PROTOCOL,
 * QL_QMP_CLOSED; the signal's reason when it fires (let it fire when QEMU has exited).
 */
export async function connectQmp(path: string, options: ConnectOptions = {}): Promise<QmpClient> {
  const { deadlineMs, ...rest } = options;
  if (deadlineMs === undefined) return openQmp(await attempt(path, 0), { ...rest, where: path });
  const end = performance.now() + deadlineMs;
  for (;;) {
    options.signal?.throwIfAborted();
    const socket = await attempt(path, deadlineMs).catch(async (error: Error) => {
      // The file appears at bind(), connections are taken from listen() on: both are "not yet".
      if (!notYet(error) || performance.now() >= end) throw error;
      await sleep(RETRY_MS);
      return undefined;
    });
    if (!socket) continue;
    const greetingMs = Math.max(1, Math.round(end - performance.now()));
    return openQmp(socket, { ...rest, where: path, greetingMs, noGreeting: 'starting' });
  }
}

function notYet(error: Error): boolean {
  const cause = error.cause;
  return (
    cause instanceof Error && 'code' in cause && (cause.code === 'ENOENT' || cause.code === 'ECONNREFUSED')
  );
}

function attempt(path: string, waitedMs: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path });
    // EAGAIN: QEMU's queue of one is full, so one client is served and others wait already.
    const refuse = (error: Error): void =>
      reject('code' in error && error.code === 'EAGAIN' ? busy(path, 0) : unreachable(path, waitedMs, error));
    socket.once('error', refuse);
    socket.once('connect', () => {
      socket.off('error', refuse);
      resolve(socket);
    });
  });
}
