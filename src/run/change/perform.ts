/** Makes one change that is journaled already, and says how each of its entries ended. */
import type { Machine } from '../../host/port.ts';
import type { Action, ActionOf } from '../../plan/step.ts';
import { batchText } from '../../plan/words.ts';
import type { Engine } from '../engine.ts';
import type { Entry } from '../journal/entry.ts';
import type { Journal } from '../journal/journal.ts';
import { commandOutcome, DONE, errorCode, errorText, type Outcome, sameValue } from './outcome.ts';

/** One outcome per entry; more than one only for a batch. */
export async function perform(
  action: Action,
  entries: readonly Entry[],
  engine: Engine,
  journal: Journal,
): Promise<readonly Outcome[]> {
  if ('batch' in action) return performBatch(action, entries[0]?.deadlineMs ?? 0, engine.machine);
  const [entry] = entries;
  if (entry === undefined) throw new TypeError('a step without an entry');
  return [await performOne(action, entry, engine, journal)];
}

async function performOne(
  action: Exclude<Action, { batch: unknown }>,
  entry: Entry,
  engine: Engine,
  journal: Journal,
): Promise<Outcome> {
  const { machine } = engine;
  const timeoutMs = entry.deadlineMs;
  if ('run' in action) {
    const stdin = action.stdin === undefined ? {} : { stdin: action.stdin };
    return commandOutcome(await machine.run(action.run, { ...stdin, timeoutMs }), timeoutMs);
  }
  if ('write' in action) return attempt('refused', () => write(action, machine, timeoutMs));
  // The record tells how far it came: unsure is safe, and exact.
  if ('share' in action) {
    const { share } = await import('./shared.ts');
    return attempt('unsure', () => share(action, journal.head.id, engine, timeoutMs));
  }
  // From wherever it was left, the undo finds its way back: unsure is safe.
  if ('rebind' in action) {
    const { rebind } = await import('./rebind.ts');
    return attempt('unsure', () => rebind(action, machine));
  }
  if ('load' in action) {
    const { shareModule } = await import('./shared.ts');
    return shareModule(action.load, journal.head.id, engine, timeoutMs);
  }
  // What an interrupted rename or mkdir left is recognised by content and inode: unsure is safe, and exact.
  if ('file' in action) {
    const { undo } = entry;
    if (!('unfile' in undo)) throw new TypeError('a file whose undo is not settled');
    return attempt('unsure', () => machine.placeNew(action.file, undo.temp, action));
  }
  return attempt('unsure', () => makeDirectory(action, entry, machine, journal));
}

async function write(action: ActionOf<'write'>, machine: Machine, timeoutMs: number): Promise<void> {
  await machine.write(action.write, action.value, timeoutMs);
  const now = await machine.read(action.write);
  const expect = action.readsAs ?? action.value;
  // The kernel took the write and made something else of it: then the undo, which looks for `expect`, is blind.
  if (now !== undefined && !sameValue(now, expect)) {
    throw Object.assign(new Error(`${action.write} reads ${now} after ${expect} was written`), {
      code: 'READBACK',
    });
  }
}

/** Made under a name of ours; its inode is journaled before it gets the name that others use. */
async function makeDirectory(
  action: ActionOf<'mkdir'>,
  entry: Entry,
  machine: Machine,
  journal: Journal,
): Promise<void> {
  if (!('rmdir' in entry.undo)) throw new TypeError('a directory whose undo is not settled');
  const { temp } = entry.undo;
  await machine.mkdir(temp, action.mode, action.owner);
  const made = await machine.stat(temp);
  if (made === undefined) throw new Error(`${temp} vanished`);
  const undo = { ...entry.undo, inode: made.inode };
  journal.change([{ n: entry.n, undo }]);
  if ((await machine.stat(action.mkdir)) !== undefined) throw new Error(`${action.mkdir} appeared meanwhile`);
  await machine.rename(temp, action.mkdir);
}

async function attempt(onError: 'refused' | 'unsure', work: () => Promise<void>): Promise<Outcome> {
  try {
    await work();
    return DONE;
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ETIMEDOUT') return { kind: 'unsure', why: errorText(error), timedOut: true };
    if (onError === 'unsure' || code === 'READBACK')
      return { kind: 'unsure', why: errorText(error), timedOut: false };
    return { kind: 'refused', why: errorText(error) };
  }
}

/**
 * `ip -batch` stops at the first line that fails and names it: "Command failed -:3". What went before stays, so
 * only that line and those after it are dropped. Some mistakes end it without a number: then nothing is known.
 */
async function performBatch(
  action: ActionOf<'batch'>,
  deadlineMs: number,
  machine: Machine,
): Promise<readonly Outcome[]> {
  const { batch, lines } = action;
  const result = await machine.run([batch, '-batch', '-'], {
    stdin: batchText(lines),
    timeoutMs: deadlineMs,
  });
  const outcome = commandOutcome(result, deadlineMs);
  if (outcome.kind !== 'refused') return lines.map(() => outcome);
  if (result.status === null) return lines.map(() => outcome);
  const failed = Number(/^Command failed -:(\d+)$/m.exec(result.stderr)?.[1]);
  const why = outcome.why.replace(/\n?Command failed -:\d+$/m, '').trim();
  if (!(failed >= 1 && failed <= lines.length))
    return lines.map(() => ({ kind: 'unsure', why, timedOut: false }) as const);
  return lines.map((_, index) =>
    index + 1 < failed
      ? DONE
      : { kind: 'refused', why: index + 1 === failed ? why : 'a line before it failed' },
  );
}
