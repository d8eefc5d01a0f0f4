/** Looks at what is there before a step, so that its undo can be journaled as data that needs nobody. */
import { createHash } from 'node:crypto';
import type { Machine } from '../../host/port.ts';
import { renderByHand } from '../../plan/render-undo.ts';
import type { Action, ActionOf, Argv, Owns, Step, Undo } from '../../plan/step.ts';
import type { FileBefore, SettledUndo } from '../../plan/undo.ts';
import { tempBeside } from '../../plan/words.ts';
import type { Place } from '../journal/entry.ts';
import type { NewEntry } from '../journal/journal.ts';
import { sameValue } from './outcome.ts';
import { foreignSys } from './owns.ts';

export interface Settled {
  readonly step: Step;
  readonly entries: readonly NewEntry[];
  /** It is as wanted already: nothing is done, and nothing will be undone. */
  readonly already: boolean;
}

/** Why a step can not even be begun. */
export class NotSettled extends Error {}

export async function settle(step: Step, machine: Machine, id: string, token: string): Promise<Settled> {
  const place = placeOf(step);
  const entry = async (title: string, action: Action, undo: Undo, owns?: Owns): Promise<NewEntry> => {
    const settled = await settleUndo(action, undo, machine, id, token);
    const mark = owns === undefined ? {} : { owns };
    return {
      title,
      undo: settled,
      byHand: renderByHand(settled),
      deadlineMs: step.deadlineMs,
      place,
      ...mark,
    };
  };
  if ('batch' in step.do) {
    const entries: NewEntry[] = [];
    for (const line of step.do.lines) entries.push(await entry(line.title, step.do, line.undo, line.owns));
    return { step, entries, already: false };
  }
  const one = await entry(step.title, step.do, step.undo, step.owns);
  return { step, entries: [one], already: 'restore' in step.undo && 'nothing' in one.undo };
}

export function placeOf(step: Step): Place {
  if (step.durable === true) return 'durable';
  const path = 'file' in step.do ? step.do.file : 'mkdir' in step.do ? step.do.mkdir : undefined;
  return path === undefined || path.startsWith('/run/') ? 'volatile' : 'durable';
}

async function settleUndo(
  action: Action,
  undo: Undo,
  machine: Machine,
  id: string,
  token: string,
): Promise<SettledUndo> {
  if ('nothing' in undo) return undo;
  if ('run' in undo) return { ...undo, run: await absolute(undo.run, machine) };
  if ('eachLine' in undo) throw new TypeError('only a batch has an undo for each line');
  if ('write' in action) return settleWrite(action, machine);
  if ('share' in action) return { unshare: `attribute ${action.share}`, user: id };
  if ('rebind' in action) {
    const { settleRebind } = await import('./rebind.ts');
    return settleRebind(action, machine);
  }
  if ('load' in action) return { unshare: `module ${action.load}`, user: id };
  if ('file' in action) return settleFile(action, machine, token);
  if ('mkdir' in action) return settleDirectory(action.mkdir, machine, token);
  throw new TypeError('"restore" can not take back a command');
}

async function absolute(argv: Argv, machine: Machine): Promise<Argv> {
  const program = await machine.which(argv[0]);
  if (program === undefined)
    throw new NotSettled(`the program ${argv[0]}, needed to take it back, is not installed`);
  return [program, ...argv.slice(1)];
}

async function settleWrite(action: ActionOf<'write'>, machine: Machine): Promise<SettledUndo> {
  const prior = await machine.read(action.write);
  if (prior === undefined) throw new NotSettled(`${action.write} does not exist`);
  const stranger = await foreignSys(action.write, machine);
  if (stranger !== undefined) throw new NotSettled(stranger);
  const expect = action.readsAs ?? action.value;
  if (sameValue(prior, expect)) return { nothing: 'it had this value before' };
  return { write: action.write, value: prior, expect };
}

async function settleFile(action: ActionOf<'file'>, machine: Machine, token: string): Promise<SettledUndo> {
  const stat = await machine.stat(action.file);
  if (stat !== undefined && stat.kind !== 'file' && stat.kind !== 'link') {
    throw new NotSettled(`${action.file} is a ${stat.kind === 'other' ? 'special file' : stat.kind}`);
  }
  const found = (await machine.capture(action.file)) ?? null;
  const kept = action.keep === true && found !== null && 'content' in found;
  const before: FileBefore | null = kept ? { ...found, keep: true } : found;
  if (before !== null && isSameFile(before, action)) return { nothing: 'it was there like this before' };
  const temp = tempBeside(action.file, `qlaunch-${token}`);
  return {
    unfile: action.file,
    temp,
    sha256: createHash('sha256')
      .update(action.content, action.base64 === true ? 'base64' : 'utf8')
      .digest('hex'),
    before,
  };
}

function isSameFile(before: FileBefore, action: ActionOf<'file'>): boolean {
  if (!('content' in before) || before.base64 !== action.base64) return false;
  const sameOwner =
    action.owner === undefined ||
    (action.owner.uid === before.owner.uid && action.owner.gid === before.owner.gid);
  return before.content === action.content && before.mode === action.mode && sameOwner;
}

async function settleDirectory(path: `/${string}`, machine: Machine, token: string): Promise<SettledUndo> {
  const stat = await machine.stat(path);
  if (stat === undefined) return { rmdir: path, temp: tempBeside(path, `qlaunch-${token}`) };
  if (stat.kind !== 'directory') throw new NotSettled(`${path} is there and is not a directory`);
  return { nothing: 'it was there before' };
}
