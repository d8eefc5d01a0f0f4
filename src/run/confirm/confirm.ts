/** Changes that are taken back unless they are confirmed. What outlives a reboot is written only then. */
import { EXIT, QlaunchError } from '../../errors.ts';
import { readFacts } from '../../host/facts.ts';
import type { HostFacts } from '../../plan/facts.ts';
import type { Lifetime } from '../../plan/lifetime.ts';
import type { Plan, Step } from '../../plan/step.ts';
import { begin, extend, finish, newId, type Order } from '../change/execute.ts';
import { errorCode } from '../change/outcome.ts';
import { placeOf } from '../change/settle.ts';
import type { TeardownResult } from '../change/teardown.ts';
import type { Engine } from '../engine.ts';
import { decide } from '../journal/decide.ts';
import type { Holder } from '../journal/entry.ts';
import type { Journal } from '../journal/journal.ts';
import { loadChange } from '../journal/load.ts';
import { seal, unseal } from '../journal/seal.ts';
import { arm, clear, confirmFile } from './arm.ts';

/** What waits for the confirmation. */
interface Pending {
  readonly title: string;
  readonly lifetime: Lifetime;
  readonly holder: Holder;
  readonly steps: readonly Step[];
}

/** Like apply(); the change stands on trial for so long, asked once there is a plan. Its id is in the journal's head. */
export function applyOnTrial(
  engine: Engine,
  wish: Omit<Order, 'facts' | 'onJournal'>,
  seconds: number | (() => number),
  plan: (facts: HostFacts) => Plan<HostFacts> | Promise<Plan<HostFacts>>,
): Promise<Journal> {
  return engine.locked(wish.title, async () => {
    const facts = (): Promise<HostFacts> => readFacts(engine.machine, engine.newToken());
    const deferred: Step[] = [];
    const now = withoutDurable(await plan(await facts()), deferred);
    const id = wish.id ?? newId(engine);
    const armed = await arm(engine, id, typeof seconds === 'number' ? seconds : seconds());
    const order: Order = { ...wish, id, facts, holder: armed.watcher, onJournal: armed.onJournal };
    const journal = begin(engine, order);
    try {
      await extend(engine, now, order, journal);
      const pending: Pending = {
        title: wish.title,
        lifetime: wish.lifetime,
        holder: wish.holder ?? null,
        steps: deferred,
      };
      engine.confirm.replace(confirmFile(id, 'pending'), seal([pending]));
      armed.made();
    } catch (error) {
      await stand(engine, id);
      throw error;
    }
    return journal;
  });
}

function withoutDurable(plan: Plan<HostFacts>, deferred: Step[]): Plan<HostFacts> {
  deferred.push(...plan.steps.filter((step) => placeOf(step) === 'durable'));
  const steps = plan.steps.filter((step) => placeOf(step) === 'volatile');
  const { next } = plan;
  if (next === undefined) return { steps };
  return { steps, next: { ...next, plan: (facts) => withoutDurable(next.plan(facts), deferred) } };
}

/** The plan failed and is taken back already: the watcher has nothing to wait for. */
async function stand(engine: Engine, id: string): Promise<void> {
  if (!(await decideNow(engine, id))) return;
  clear(engine, id);
  await engine.machine.rmdir(engine.confirm.path(confirmFile(id, 'decided')));
}

/** true: we were first. mkdir(2) is the one operation that tells exactly one of two that he was. */
async function decideNow(engine: Engine, id: string): Promise<boolean> {
  try {
    await engine.machine.mkdir(engine.confirm.path(confirmFile(id, 'decided')), 0o700);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Keeps a change that is on trial, and writes what outlives a reboot.
 * Throws QL_NO_TRIAL (exit 2), QL_TOO_LATE (exit 3), or what execute() throws: then all of it is taken back.
 */
export function confirmChange(engine: Engine, id: string): Promise<Journal> {
  return engine.locked(`confirm ${id}`, async () => {
    const pending = readPending(engine, id);
    if (!(await decideNow(engine, id))) throw tooLate(id);
    try {
      return await keep(engine, id, pending);
    } finally {
      // Kept, or taken back: in both cases nothing waits any more.
      clear(engine, id);
      await engine.machine.rmdir(engine.confirm.path(confirmFile(id, 'decided')));
    }
  });
}

async function keep(engine: Engine, id: string, pending: Pending): Promise<Journal> {
  const { journal } = loadChange(engine.stores, engine.world, id);
  const order: Order = { title: pending.title, lifetime: pending.lifetime, id };
  const kept = journal ?? begin(engine, order);
  kept.adopt(engine.world.self);
  await extend(engine, { steps: pending.steps }, order, kept);
  kept.hold(pending.holder);
  await finish(engine, kept);
  return kept;
}

/** Under the lock: whoever decided is dead, or gave up at a step that was stuck, and so is the watcher. */
function isAbandoned(engine: Engine, id: string): boolean {
  const { kind } = decide(loadChange(engine.stores, engine.world, id), engine.world, true);
  return kind === 'undo' || kind === 'forget';
}

/** Takes a change that is on trial back at once. Throws QL_NO_TRIAL (exit 2), QL_TOO_LATE (exit 3). */
export function revertChange(engine: Engine, id: string): Promise<TeardownResult> {
  return engine.locked(`revert ${id}`, async () => {
    readPending(engine, id);
    if (!(await decideNow(engine, id)) && !isAbandoned(engine, id)) throw tooLate(id);
    try {
      const { journal } = loadChange(engine.stores, engine.world, id);
      if (journal === undefined) return { left: [], said: [] };
      journal.adopt(engine.world.self);
      const { teardown } = await import('../change/teardown.ts');
      return await teardown(engine, journal);
    } finally {
      clear(engine, id);
      await engine.machine.rmdir(engine.confirm.path(confirmFile(id, 'decided')));
    }
  });
}

function readPending(engine: Engine, id: string): Pending {
  const text = /^[a-z0-9-]+$/i.test(id) ? engine.confirm.read(confirmFile(id, 'pending')) : undefined;
  const { records, damage } = unseal(text ?? '');
  if (text !== undefined && damage === undefined) return records[0] as Pending;
  throw new QlaunchError('QL_NO_TRIAL', EXIT.usage, {
    what: `no change ${id} waits to be confirmed`,
    why: text === undefined ? [] : [`${engine.confirm.path(confirmFile(id, 'pending'))}: ${damage}`],
    todo: ['qlaunch changes'],
  });
}

const tooLate = (id: string): QlaunchError =>
  new QlaunchError('QL_TOO_LATE', EXIT.refused, {
    what: `the change ${id} was not confirmed in time`,
    why: ['it is being taken back, or was'],
    todo: ['sudo qlaunch recover   # if `qlaunch changes` still lists it', 'make the change again'],
  });
