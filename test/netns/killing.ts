/** Wraps an engine so that the process is killed at its n-th touch of the machine or of a journal. */
import { writeFileSync } from 'node:fs';
import type { Machine, Store } from '../../src/host/port.ts';
import type { Engine } from '../../src/run/engine.ts';

export type Moment = 'before' | 'during' | 'after';
export interface Kill {
  /** 1 is the first touch. */
  readonly at: number;
  readonly moment: Moment;
}

/** SIGKILL reaches us before this returns; nothing of ours runs after it. */
function die(): never {
  process.kill(process.pid, 'SIGKILL');
  throw new Error('still alive');
}

export function killing(engine: Engine, kill: Kill): Engine {
  let touches = 0;
  const isNow = (): boolean => {
    touches += 1;
    return touches === kill.at;
  };
  /** `half`: what can be seen of the touch when it is cut in the middle. */
  const touch = <Args extends unknown[], Result>(
    work: (...args: Args) => Promise<Result>,
    half?: (...args: Args) => void,
  ): ((...args: Args) => Promise<Result>) => {
    return async (...args) => {
      if (!isNow()) return work(...args);
      if (kill.moment === 'during') half?.(...args);
      if (kill.moment !== 'after') die();
      await work(...args);
      return die();
    };
  };
  const { machine } = engine;
  const store = (inner: Store): Store => ({
    ...inner,
    replace(name, text) {
      const now = isNow();
      if (now && kill.moment === 'during') {
        inner.list();
        writeFileSync(
          inner.path(`.${name}.new`.slice(1)).replace(/([^/]+)$/, '.$1'),
          text.slice(0, text.length / 2),
        );
      }
      if (now && kill.moment !== 'after') die();
      inner.replace(name, text);
      if (now) die();
    },
    remove(name) {
      const now = isNow();
      if (now && kill.moment !== 'after') die();
      inner.remove(name);
      if (now) die();
    },
  });
  const wrapped: Machine = {
    ...machine,
    async run(argv, options) {
      if (isLook(argv)) return machine.run(argv, options);
      if (!isNow()) return machine.run(argv, options);
      if (kill.moment === 'before') die();
      if (kill.moment === 'during') {
        // We die first; the tool acts a moment later, as an orphan.
        void machine.run(['sh', '-c', 'sleep 0.15; exec "$@"', 'sh', ...argv], options);
        await new Promise((resolve) => setTimeout(resolve, 50));
        die();
      }
      await machine.run(argv, options);
      return die();
    },
    write: touch(machine.write),
    placeNew: touch(machine.placeNew, (_path, temp, { content }) => writeFileSync(temp, content.slice(0, 2))),
    place: touch(machine.place, (_path, temp) => writeFileSync(temp, 'x')),
    unlink: touch(machine.unlink),
    mkdir: touch(machine.mkdir),
    rmdir: touch(machine.rmdir),
    rename: touch(machine.rename),
  };
  return {
    ...engine,
    machine: wrapped,
    stores: { volatile: store(engine.stores.volatile), durable: store(engine.stores.durable) },
    shared: store(engine.shared),
  };
}

const isLook = (argv: readonly string[]): boolean => argv.includes('show') || argv.includes('list');
