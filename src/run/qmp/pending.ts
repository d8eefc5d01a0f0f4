/** The commands that wait for their reply, each with its own deadline and signal. */
import { late } from './failure.ts';
import type { Json, QmpResult } from './message.ts';

export interface QmpCommandOptions {
  /** Past it the promise rejects with QL_QMP_TIMEOUT; a reply that still comes is dropped. */
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
}

export interface PendingCommands {
  /** `write` gets the id to send along. */
  add(command: string, options: QmpCommandOptions, write: (id: string) => void): Promise<QmpResult>;
  /** An id nobody waits for (its deadline has passed) is dropped. */
  settle(id: Json | undefined, result: QmpResult): void;
  /** No more replies: everything that waits is rejected, but `quit` may end without one (qmp-spec). */
  fail(error: (command: string) => Error, mayQuit: boolean): void;
}

interface Waiting {
  readonly command: string;
  resolve(result: QmpResult): void;
  reject(error: unknown): void;
}

export function pendingCommands(where: string, defaultMs: number): PendingCommands {
  const waiting = new Map<string, Waiting>();
  let lastId = 0;
  return {
    add(command, { deadlineMs = defaultMs, signal }, write) {
      return new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        lastId += 1;
        const id = `q${lastId}`;
        const settle = (finish: () => void): void => {
          clearTimeout(timer);
          signal?.removeEventListener('abort', abort);
          waiting.delete(id);
          finish();
        };
        const abort = (): void => settle(() => reject(signal?.reason));
        const timer = setTimeout(() => settle(() => reject(late(where, command, deadlineMs))), deadlineMs);
        signal?.addEventListener('abort', abort, { once: true });
        waiting.set(id, {
          command,
          resolve: (result) => settle(() => resolve(result)),
          reject: (error) => settle(() => reject(error)),
        });
        write(id);
      });
    },
    settle(id, result) {
      if (typeof id === 'string') waiting.get(id)?.resolve(result);
    },
    fail(error, mayQuit) {
      for (const command of [...waiting.values()]) {
        if (mayQuit && command.command === 'quit') command.resolve({ ok: true, value: {} });
        else command.reject(error(command.command));
      }
    },
  };
}
