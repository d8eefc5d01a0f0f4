/** An engine on the fake machine, and the ways in which a process that changes things can come to grief. */
import type { Machine, ProcessId, RunResult, Store, World } from '../src/host/port.ts';
import type { Engine } from '../src/run/engine.ts';
import { type FakeHost, fakeHost, memoryStore } from './fake-host.ts';

/** One machine, its disk, and the processes that live on it one after the other. */
export class FakeWorld {
  readonly host: FakeHost = fakeHost();
  readonly volatile: ReturnType<typeof memoryStore> = memoryStore();
  readonly durable: ReturnType<typeof memoryStore> = memoryStore();
  readonly shared: ReturnType<typeof memoryStore> = memoryStore();
  readonly living: Set<number> = new Set();
  bootId = 'boot-1';
  netns = 'net:[1]';
  #pids = 100;
  #tokens = 0;

  /** A new process. */
  engine(): Engine {
    this.#pids += 1;
    const self: ProcessId = { pid: this.#pids, start: this.#pids, bootId: this.bootId, pidns: 'pid:[1]' };
    this.living.add(self.pid);
    return {
      machine: this.host.machine,
      stores: { volatile: this.volatile, durable: this.durable },
      shared: this.shared,
      confirm: memoryStore(),
      undo: memoryStore(),
      lockPath: '/memory/lock',
      world: this.#world(self),
      tool: 'qlaunch test',
      nowMs: () => this.#pids,
      newToken: () => {
        this.#tokens += 1;
        return this.#tokens.toString(16).padStart(6, '0').split('').reverse().join('').padEnd(12, '0');
      },
      locked: (_what, work) => work(),
    };
  }

  /** Every process is gone; the machine stays. */
  killAll(): void {
    this.living.clear();
  }

  /** Files that we keep open changes in. */
  get open(): readonly string[] {
    return [this.volatile, this.durable, this.shared].flatMap((store) => store.list());
  }

  #world(self: ProcessId): World {
    const { bootId, netns } = this;
    return {
      bootId,
      netns,
      self,
      process: (pid) => (this.living.has(pid) ? { ...self, pid, start: pid } : undefined),
      alive: (other) => {
        if (other.bootId !== bootId) return 'dead';
        if (other.pidns !== self.pidns) return 'unknown';
        return this.living.has(other.pid) ? 'alive' : 'dead';
      },
    };
  }
}

export type Grief =
  /** The process ends before or after the touch takes effect. */
  | { readonly kind: 'kill'; readonly at: number; readonly effect: boolean }
  /** The deadline passes, with or without effect. */
  | { readonly kind: 'hang'; readonly at: number; readonly effect: boolean }
  /** The machine says no. */
  | { readonly kind: 'refuse'; readonly at: number };

export interface Doomed {
  readonly engine: Engine;
  /** Resolves when the process has been killed. */
  readonly died: Promise<'killed'>;
  /** How often the machine or a journal was touched so far. */
  readonly touches: () => number;
}

const NEVER = new Promise<never>(() => undefined);
const isLook = (argv: readonly string[]): boolean => argv.includes('show') || argv.includes('list');

/** A touch is a command that changes something, a write, a file operation, or a write of a journal. */
export function doomed(engine: Engine, grief?: Grief): Doomed {
  let touches = 0;
  let dead = false;
  let tell: (how: 'killed') => void = () => undefined;
  const died = new Promise<'killed'>((resolve) => {
    tell = resolve;
  });
  const die = (): void => {
    dead = true;
    tell('killed');
  };
  const isNow = (): boolean => {
    touches += 1;
    return grief !== undefined && touches === grief.at;
  };
  const touch =
    <Args extends unknown[], Result>(work: (...args: Args) => Promise<Result>) =>
    async (...args: Args): Promise<Result> => {
      if (dead) return NEVER;
      if (!isNow()) return work(...args);
      if (grief?.kind === 'refuse')
        throw Object.assign(new Error('EPERM: refused by the test'), { code: 'EPERM' });
      if (grief?.effect === true) await work(...args);
      if (grief?.kind === 'hang')
        throw Object.assign(new Error('ETIMEDOUT: hangs by the test'), { code: 'ETIMEDOUT' });
      die();
      return NEVER;
    };
  const store = (inner: Store): Store => {
    const sync = (work: () => void): void => {
      if (dead) throw new Error('dead');
      const now = isNow();
      if (now && grief?.kind === 'refuse')
        throw Object.assign(new Error('ENOSPC: disk full by the test'), { code: 'ENOSPC' });
      if (now && grief?.kind === 'kill') {
        if (grief.effect) work();
        die();
        throw new Error('dead');
      }
      work();
    };
    return {
      ...inner,
      replace: (name, text) => sync(() => inner.replace(name, text)),
      remove: (name) => sync(() => inner.remove(name)),
    };
  };
  const { machine } = engine;
  const run: Machine['run'] = async (argv, options) => {
    if (dead) return NEVER;
    if (isLook(argv) || !isNow()) return machine.run(argv, options);
    const refused: RunResult = {
      status: 2,
      signal: null,
      stdout: '',
      stderr: 'refused by the test',
      timedOut: false,
    };
    if (grief?.kind === 'refuse') return refused;
    if (grief?.effect === true) await machine.run(argv, options);
    if (grief?.kind === 'hang') return { ...refused, status: null, signal: 'SIGKILL', timedOut: true };
    die();
    return NEVER;
  };
  return {
    died,
    touches: () => touches,
    engine: {
      ...engine,
      stores: { volatile: store(engine.stores.volatile), durable: store(engine.stores.durable) },
      shared: store(engine.shared),
      machine: {
        ...machine,
        run,
        write: touch(machine.write),
        place: touch(machine.place),
        placeNew: touch(machine.placeNew),
        unlink: touch(machine.unlink),
        mkdir: touch(machine.mkdir),
        rmdir: touch(machine.rmdir),
        rename: touch(machine.rename),
      },
    },
  };
}
