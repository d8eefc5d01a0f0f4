/** Takes one entry back, if what it finds is what the journal expects. */
import type { Machine } from '../../host/port.ts';
import type { SettledOf, SettledUndo } from '../../plan/undo.ts';
import type { Engine } from '../engine.ts';
import type { Entry } from '../journal/entry.ts';
import { errorCode, errorText, sameValue } from './outcome.ts';
import { foreignSys, ownership } from './owns.ts';
import { unshare } from './shared.ts';

export type UndoOutcome =
  /** Nothing of it is there any more. `note`: something else is, and stays. */
  | { readonly kind: 'undone'; readonly note?: string }
  /** `changed`: a stranger's work since, in the place of what was there before us: a person has to choose. */
  | { readonly kind: 'left'; readonly why: string; readonly changed?: true }
  | { readonly kind: 'stuck'; readonly why: string };

const UNDONE: UndoOutcome = { kind: 'undone' };
/** What a command's own limit may overrun before the whole entry is given up. */
const GRACE_MS = 1_000;

export async function undoEntry(entry: Entry, engine: Engine): Promise<UndoOutcome> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<UndoOutcome>((resolve) => {
    const why = `it did not end within ${entry.deadlineMs / 1000} s`;
    timer = setTimeout(() => resolve({ kind: 'stuck', why }), 2 * entry.deadlineMs + GRACE_MS);
  });
  try {
    return await Promise.race([late, undo(entry, entry.undo, engine)]);
  } catch (error) {
    return { kind: errorCode(error) === 'ETIMEDOUT' ? 'stuck' : 'left', why: errorText(error) };
  } finally {
    clearTimeout(timer);
  }
}

async function undo(entry: Entry, how: SettledUndo, engine: Engine): Promise<UndoOutcome> {
  if ('nothing' in how) return UNDONE;
  const notOurs = await unlessOurs(entry, engine.machine);
  if (notOurs !== undefined) return notOurs;
  if ('run' in how) return undoByCommand(how, engine.machine, entry.deadlineMs);
  if ('write' in how) return undoWrite(how, engine.machine, entry.deadlineMs);
  if ('rebind' in how) {
    const { undoRebind } = await import('./undo-rebind.ts');
    return undoRebind(how, engine.machine);
  }
  if ('unshare' in how) return unshare(how, engine, entry.deadlineMs);
  if ('unfile' in how) return undoFile(how, engine.machine);
  return undoDirectory(how, engine.machine);
}

/** What ends the undo before it begins: the thing is gone, or nothing proves it ours. */
async function unlessOurs(entry: Entry, machine: Machine): Promise<UndoOutcome | undefined> {
  const known = entry.state === 'done' || entry.state === 'stuck';
  if (entry.owns === undefined) {
    if (known || !('run' in entry.undo)) return undefined;
    return { kind: 'left', why: 'whether it was made is not known, and nothing would prove it ours' };
  }
  if ('itself' in entry.owns) return undefined;
  const found = await ownership(entry.owns, machine, entry.deadlineMs);
  if (found.kind === 'ours') return undefined;
  if (found.kind === 'unknown') {
    return { kind: found.timedOut ? 'stuck' : 'left', why: `cannot tell whose it is: ${found.why}` };
  }
  // An unknown outcome and a stranger's thing: ours was never made.
  if (found.kind !== 'foreign' || !known) return UNDONE;
  return { kind: 'undone', note: `left alone, it is not ours any more: ${found.why}` };
}

async function undoByCommand(
  how: SettledOf<'run'>,
  machine: Machine,
  timeoutMs: number,
): Promise<UndoOutcome> {
  const stdin = how.stdin === undefined ? {} : { stdin: how.stdin };
  const result = await machine.run(how.run, { ...stdin, timeoutMs });
  if (result.status === 0 || how.gone.some((text) => result.stderr.includes(text))) return UNDONE;
  if (result.timedOut) return { kind: 'stuck', why: `no answer within ${timeoutMs / 1000} s` };
  return {
    kind: 'left',
    why: result.stderr.trim() || `it ended with ${result.signal ?? `status ${result.status}`}`,
  };
}

async function undoWrite(how: SettledOf<'write'>, machine: Machine, timeoutMs: number): Promise<UndoOutcome> {
  const now = await machine.read(how.write);
  if (now === undefined || sameValue(now, how.value)) return UNDONE;
  const stranger = await foreignSys(how.write, machine);
  if (stranger !== undefined) return { kind: 'left', why: stranger };
  if (!sameValue(now, how.expect)) {
    return { kind: 'undone', note: `left alone: ${how.write} is ${now}, not the ${how.expect} we had set` };
  }
  await machine.write(how.write, how.value, timeoutMs);
  return UNDONE;
}

async function undoFile(how: SettledOf<'unfile'>, machine: Machine): Promise<UndoOutcome> {
  // On a read-only file system even removing nothing is refused.
  if ((await machine.stat(how.temp)) !== undefined) await machine.unlink(how.temp);
  const now = await machine.sha256(how.unfile);
  if (now !== how.sha256) return isAsBefore(how, machine);
  if (how.before === null) await machine.unlink(how.unfile);
  else await machine.place(how.unfile, how.temp, how.before);
  return UNDONE;
}

/** Not our content: it was never written, is put back already, or somebody else wrote since. */
async function isAsBefore(how: SettledOf<'unfile'>, machine: Machine): Promise<UndoOutcome> {
  const now = (await machine.capture(how.unfile)) ?? null;
  const before = how.before;
  if (now === null || before === null) {
    return now === before
      ? UNDONE
      : {
          kind: 'undone',
          note: `left alone: ${how.unfile} was ${now === null ? 'removed' : 'changed'} since`,
        };
  }
  const same =
    'linkTo' in now || 'linkTo' in before
      ? JSON.stringify(now) === JSON.stringify(before)
      : now.content === before.content;
  // The state of a running program: what it was before is nobody's work.
  if (!same && how.unfile.startsWith('/run/'))
    return { kind: 'undone', note: `left alone: ${how.unfile} was changed since` };
  // Forgotten, what lay there before us would be lost: its only copies are the journal's and one that we made.
  return same ? UNDONE : { kind: 'left', why: `${how.unfile} was changed since`, changed: true };
}

/** The file is as it was before an earlier step of the same change, which has been taken back already. */
export async function isBackFurther(entry: Entry, all: readonly Entry[], machine: Machine): Promise<boolean> {
  const how = entry.undo;
  if (!('unfile' in how)) return false;
  for (const { n, undo } of all) {
    if (n >= entry.n || !('unfile' in undo) || undo.unfile !== how.unfile) continue;
    const outcome = await isAsBefore(undo, machine);
    if (outcome.kind === 'undone' && outcome.note === undefined) return true;
  }
  return false;
}

async function undoDirectory(how: SettledOf<'rmdir'>, machine: Machine): Promise<UndoOutcome> {
  if ((await machine.stat(how.temp)) !== undefined) await machine.rmdir(how.temp);
  const stat = await machine.stat(how.rmdir);
  if (stat === undefined || how.inode === undefined || stat.inode !== how.inode) return UNDONE;
  try {
    await machine.rmdir(how.rmdir);
  } catch (error) {
    if (errorCode(error) !== 'ENOTEMPTY') throw error;
    return { kind: 'undone', note: `left alone: ${how.rmdir} holds files of others` };
  }
  return UNDONE;
}
