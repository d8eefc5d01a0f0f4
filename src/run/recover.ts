/** What is open on this host, and taking it back: every command that does so is a filter over decide(). */
import { EXIT, type ExitStatus, QlaunchError } from '../errors.ts';
import { type Lifetime, renderLifetime } from '../plan/lifetime.ts';
import { forgetScripts } from './change/guarded.ts';
import { disown } from './change/shared.ts';
import { type Left, teardown } from './change/teardown.ts';
import { forgetTrials, isOnTrial } from './confirm/arm.ts';
import type { Engine } from './engine.ts';
import { type Decision, decide } from './journal/decide.ts';
import { fileName } from './journal/journal.ts';
import { type Change, loadChange, loadChanges } from './journal/load.ts';

export interface OpenChange {
  readonly change: Change;
  readonly decision: Decision;
}

/** Oldest first. Touches nothing and needs no lock. */
export function openChanges(engine: Engine): readonly OpenChange[] {
  return loadChanges(engine.stores, engine.world).map((change) => ({
    change,
    decision: decide(change, engine.world),
  }));
}

export interface Recovered {
  /** Ids. */
  readonly undone: readonly string[];
  readonly left: readonly (Left & { readonly id: string })[];
  readonly said: readonly string[];
  /** What we may not touch, and why. */
  readonly reported: readonly OpenChange[];
  readonly exit: ExitStatus;
}

/** Takes back, newest first, what nobody needs any more. `wanted` narrows it to one network, one VM, … */
export function recover(
  engine: Engine,
  wanted: (change: Change) => boolean = () => true,
): Promise<Recovered> {
  return engine.locked('recover', () => sweep(engine, wanted, false));
}

/**
 * The end of a VM or of a network: takes back all that lived as long as it, newest first, by whoever made it.
 * What a live holder still uses is reported.
 */
export const release = (engine: Engine, lifetime: Lifetime): Promise<Recovered> =>
  engine.locked(`release ${renderLifetime(lifetime)}`, () => releaseUnderLock(engine, lifetime));

/** The same by whoever has the host lock. */
export function releaseUnderLock(engine: Engine, lifetime: Lifetime): Promise<Recovered> {
  const name = renderLifetime(lifetime);
  const isOf = ({ journal }: Change): boolean =>
    journal !== undefined && renderLifetime(journal.head.lifetime) === name;
  return sweep(engine, isOf, true);
}

async function sweep(
  engine: Engine,
  wanted: (change: Change) => boolean,
  asked: boolean,
): Promise<Recovered> {
  for (const store of [
    engine.stores.volatile,
    engine.stores.durable,
    engine.shared,
    engine.confirm,
    engine.undo,
  ])
    store.sweep();
  // Loaded here and not before: journals may have been closed while we waited for the lock.
  const changes = loadChanges(engine.stores, engine.world).filter(wanted).reverse();
  const decided = changes.map((change) => ({ change, decision: decide(change, engine.world, asked) }));
  const result = await takeBackAll(engine, asked ? decided.map(reportHeld) : decided);
  await forgetTrials(engine);
  forgetScripts(engine);
  return result;
}

const reportHeld = (open: OpenChange): OpenChange =>
  open.decision.kind === 'leave' ? { ...open, decision: { kind: 'report', why: open.decision.why } } : open;

/** What `recover` would look at, in its order. Touches nothing and needs no lock. */
export function planRecovery(engine: Engine): readonly OpenChange[] {
  return [...openChanges(engine)].reverse();
}

/**
 * What `undo` would take back. Touches nothing. Throws QL_NO_CHANGE (exit 2) when nothing is so called, QL_CHANGE_HELD
 * (exit 3) while somebody lives who needs it.
 */
export function planUndo(engine: Engine, id: string): OpenChange {
  const change = /^[a-z0-9-]+$/i.test(id) ? loadChange(engine.stores, engine.world, id) : undefined;
  if (
    change === undefined ||
    !(change.journal !== undefined || change.trouble !== undefined || change.voided)
  ) {
    throw new QlaunchError('QL_NO_CHANGE', EXIT.usage, {
      what: `there is no open change ${id}`,
      todo: ['qlaunch changes'],
    });
  }
  const decision = decide(change, engine.world, true);
  // Its holder is its watcher, which takes it back as well.
  if (decision.kind === 'leave' && isOnTrial(engine, id))
    return { change, decision: { kind: 'undo', why: 'it is not confirmed' } };
  if (decision.kind === 'leave') {
    throw new QlaunchError('QL_CHANGE_HELD', EXIT.refused, {
      what: `will not undo ${id} now`,
      why: [decision.why],
      todo: ['qlaunch ps   # shows what uses it: stop that first'],
    });
  }
  return { change, decision };
}

/** Takes back what was asked for by name. Errors as planUndo(). */
export async function undoChange(engine: Engine, id: string): Promise<Recovered> {
  if (isOnTrial(engine, planUndo(engine, id).change.id))
    return (await import('./confirm/revert.ts')).revertTrial(engine, id);
  return engine.locked(`undo ${id}`, async () => takeBackAll(engine, [planUndo(engine, id)]));
}

/** Forgets a change without taking it back: what is left of it on the host is left for good. Errors as planUndo(). */
export function forgetChange(engine: Engine, id: string): Promise<OpenChange> {
  return engine.locked(`forget ${id}`, async () => {
    const open = planUndo(engine, id);
    disown(id, engine);
    for (const place of ['durable', 'volatile'] as const) engine.stores[place].remove(fileName(id));
    forgetScripts(engine);
    return open;
  });
}

/** Under the lock. */
async function takeBackAll(engine: Engine, changes: readonly OpenChange[]): Promise<Recovered> {
  const undone: string[] = [];
  const left: (Left & { id: string })[] = [];
  const said: string[] = [];
  const reported: OpenChange[] = [];
  for (const open of changes) {
    const { change, decision } = open;
    if (decision.kind === 'report') reported.push(open);
    if (decision.kind === 'forget') forget(engine, change);
    if (decision.kind !== 'undo' || change.journal === undefined) continue;
    const result = await teardown(engine, change.journal);
    said.push(...result.said);
    left.push(...result.left.map((one) => ({ ...one, id: change.id })));
    if (result.left.length > 0) continue;
    if (change.voided) forget(engine, change);
    undone.push(change.id);
  }
  const troubled = reported.some(({ change }) => change.trouble !== undefined);
  const exit = left.some((one) => one.stuck)
    ? EXIT.stuck
    : left.length > 0 || troubled
      ? EXIT.leftovers
      : EXIT.ok;
  return { undone, left, said, reported, exit };
}

/** The volatile part last: it goes with the next boot in any case. */
function forget(engine: Engine, change: Change): void {
  const places = change.journal === undefined ? (['volatile'] as const) : (['durable', 'volatile'] as const);
  for (const place of places) engine.stores[place].remove(fileName(change.id));
}
