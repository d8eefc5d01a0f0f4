/** Takes a change back, newest step first. Never stops early; may be run again and again. */
import { backupPath } from '../../plan/files.ts';
import type { SettledUndo } from '../../plan/undo.ts';
import { devicePath } from '../../plan/vfio/rebind.ts';
import type { Engine } from '../engine.ts';
import type { Entry, EntryState } from '../journal/entry.ts';
import type { Journal } from '../journal/journal.ts';
import { errorText } from './outcome.ts';
import { isBackFurther, type UndoOutcome, undoEntry } from './undo-entry.ts';

export interface Left {
  readonly title: string;
  readonly why: string;
  /** What to type to finish the job. */
  readonly byHand: string;
  /** Past its deadline, as opposed to refused. */
  readonly stuck: boolean;
}

export interface TeardownResult {
  /** Not empty: the journal is kept, and the next run goes on with these. */
  readonly left: readonly Left[];
  /** What was left alone on purpose: a stranger changed it since. */
  readonly said: readonly string[];
}

/** Under the host lock. Throws nothing because of a step, or of a disk that is full. */
export async function teardown(engine: Engine, journal: Journal): Promise<TeardownResult> {
  const left: Left[] = [];
  const said: string[] = [];
  const journaled = (write: () => void): void => {
    try {
      write();
    } catch (error) {
      said.push(`the journal could not be written: ${errorText(error)}`);
    }
  };
  journaled(() => journal.adopt(engine.world.self));
  const waiting: string[] = [];
  for (const entry of journal.open) {
    const target = targetOf(entry.undo);
    const outcome = dependsOn(target, waiting) ? WAITS : await takeBack(entry, journal, engine);
    if (outcome.kind !== 'undone' && target !== undefined) waiting.push(target);
    if (outcome.kind === 'undone') {
      if (outcome.note !== undefined) said.push(outcome.note);
    } else {
      const again = `qlaunch undo ${journal.head.id}`;
      const keep = outcome.kind === 'left' && outcome.changed === true;
      left.push({
        title: entry.title,
        why: keep ? `${outcome.why}; to keep it as it is: ${again} --forget` : outcome.why,
        byHand: outcome === WAITS ? again : entry.byHand,
        stuck: outcome.kind === 'stuck',
      });
    }
    const state = nextState(entry, outcome.kind);
    if (state !== entry.state) journaled(() => journal.change([{ n: entry.n, state }]));
  }
  if (left.length === 0) journaled(() => journal.close());
  return { left, said };
}

/** When the power went between an undo and the journal, all of the change is taken back a second time. */
async function takeBack(entry: Entry, journal: Journal, engine: Engine): Promise<UndoOutcome> {
  const outcome = await undoEntry(entry, engine);
  if (outcome.kind !== 'left' || outcome.changed !== true) return outcome;
  return (await isBackFurther(entry, journal.entries, engine.machine)) ? { kind: 'undone' } : outcome;
}

const WAITS: UndoOutcome = { kind: 'left', why: 'a later change of the same must be taken back first' };

/** The file, directory or attribute that an undo looks at to see whether it still is as we left it. */
export function targetOf(undo: SettledUndo): string | undefined {
  if ('write' in undo) return undo.write;
  if ('rebind' in undo) return devicePath(undo.rebind);
  if ('unfile' in undo) return undo.unfile;
  return 'rmdir' in undo ? undo.rmdir : undefined;
}

/**
 * Under a newer change that could not be taken back, an older one would look like a stranger's; and the copy of what
 * lay there before is still needed.
 */
export const dependsOn = (target: string | undefined, newer: readonly string[]): boolean =>
  target !== undefined &&
  newer.some((one) => one === target || one.startsWith(`${target}/`) || target === backupPath(one));

const nextState = (entry: Entry, kind: 'undone' | 'left' | 'stuck'): EntryState =>
  kind === 'left' ? entry.state : kind;
