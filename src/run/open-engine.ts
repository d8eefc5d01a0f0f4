/** The engine on the real machine, with the state of whoever calls. */
import { join } from 'node:path';
import { holdLock, type Lock } from '../host/flock.ts';
import { newToken, readWorld } from '../host/ids.ts';
import { linuxMachine } from '../host/linux.ts';
import { type Environment, statePaths } from '../host/state-paths.ts';
import { directoryStore } from '../host/store.ts';
import type { Engine } from './engine.ts';

export interface EngineOptions {
  /** "qlaunch 0.1.0" */
  readonly tool: string;
  readonly env?: Environment;
  /** How long the host lock is waited for. */
  readonly lockWaitMs?: number;
}

/** Cheap: reads /proc three times, makes nothing. */
export function openEngine(options: EngineOptions): Engine {
  const world = readWorld();
  const paths = statePaths(options.env ?? process.env, process.geteuid?.() ?? 0, world.bootId);
  const lockPath = join(paths.runtime, 'lock', 'host');
  let lock: Lock | undefined;
  let last: Promise<unknown> = Promise.resolve();
  const withLock = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    lock = await holdLock(lockPath, {
      what,
      waitMs: options.lockWaitMs ?? 30_000,
    });
    try {
      return await work();
    } finally {
      lock.release();
      lock = undefined;
    }
  };
  return {
    machine: linuxMachine({ inherit: () => (lock === undefined ? [] : [lock.fd]) }),
    stores: {
      volatile: directoryStore(join(paths.runtime, 'journal')),
      durable: directoryStore(join(paths.state, 'journal')),
    },
    shared: directoryStore(join(paths.runtime, 'shared')),
    confirm: directoryStore(join(paths.runtime, 'confirm')),
    undo: directoryStore(join(paths.runtime, 'undo')),
    lockPath,
    world,
    tool: options.tool,
    nowMs: () => Date.now(),
    newToken,
    // One after the other in this process too: flock(2) on a second descriptor would wait for the first.
    locked(what, work) {
      const turn = last.then(() => withLock(what, work));
      last = turn.catch(() => undefined);
      return turn;
    },
  };
}
