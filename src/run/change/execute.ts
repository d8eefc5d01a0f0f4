/** Carries out a plan, journal first. When a step fails, what was made before it is taken back. */
import type { HostFacts } from '../../plan/facts.ts';
import type { Lifetime } from '../../plan/lifetime.ts';
import type { Plan, Step } from '../../plan/step.ts';
import { batchText } from '../../plan/words.ts';
import type { Engine } from '../engine.ts';
import type { Entry, EntryState, Holder } from '../journal/entry.ts';
import { FORMAT } from '../journal/entry.ts';
import { Journal } from '../journal/journal.ts';
import { errorText, type Failure } from './outcome.ts';
import { perform } from './perform.ts';
import { NotSettled, type Settled, settle } from './settle.ts';

export interface Order {
  /** For `qlaunch changes`: "bridge create br0". */
  readonly title: string;
  readonly lifetime: Lifetime;
  /** Who keeps it once we have ended; may be said later with journal.hold(). */
  readonly holder?: Holder;
  /** The change's name, when it has to be known before (`until-undone ID`). */
  readonly id?: string;
  /** For a plan with a later stage. */
  readonly facts?: () => Promise<HostFacts>;
  /** Progress. Called before the step is made. */
  readonly onStep?: (step: Step) => void;
  /** Called whenever the journal knows more, so also before each change: the dead-man's switch renders its script. */
  readonly onJournal?: (journal: Journal) => Promise<void>;
}

/** Short enough to be typed. */
export const newId = (engine: Engine): string => engine.newToken().slice(0, 6);

/**
 * Under the host lock (engine.locked). Throws QL_STEP_REFUSED (exit 4) or QL_STEP_STUCK (exit 5) with everything
 * taken back, or QL_LEFTOVERS (exit 6) when some of it could not be.
 */
export async function execute(engine: Engine, plan: Plan<HostFacts>, order: Order): Promise<Journal> {
  const journal = begin(engine, order);
  await extend(engine, plan, order, journal);
  await finish(engine, journal);
  return journal;
}

/** An empty journal; nothing is written before the first step. */
export function begin(engine: Engine, order: Order): Journal {
  return Journal.create(engine.stores, {
    v: FORMAT,
    tool: engine.tool,
    id: order.id ?? newId(engine),
    title: order.title,
    bootId: engine.world.bootId,
    netns: engine.world.netns,
    lifetime: order.lifetime,
    actor: engine.world.self,
    holder: order.holder ?? null,
    complete: false,
    sinceMs: engine.nowMs(),
  });
}

/** Carries out more steps under a journal that is open already. When one fails, all of the journal is taken back. */
export async function extend(
  engine: Engine,
  plan: Plan<HostFacts>,
  order: Order,
  journal: Journal,
): Promise<void> {
  await checkTools(engine, plan.steps);
  for (let stage: Plan<HostFacts> | undefined = plan; stage !== undefined; ) {
    for (const step of stage.steps) {
      const failure = await carryOut(engine, step, order, journal);
      if (failure === undefined) continue;
      throw await (await failed()).stepFailed(engine, step.title, failure, journal, step);
    }
    stage = await nextStage(engine, stage, order, journal);
  }
}

/** Facts are read anew: what the kernel chose in the steps before is among them. */
async function nextStage(
  engine: Engine,
  stage: Plan<HostFacts>,
  order: Order,
  journal: Journal,
): Promise<Plan<HostFacts> | undefined> {
  if (stage.next === undefined) return undefined;
  try {
    if (order.facts === undefined) throw new TypeError('a plan with stages needs facts');
    const plan = stage.next.plan(await order.facts());
    await checkTools(engine, plan.steps);
    return plan;
  } catch (error) {
    throw await (await failed()).planFailed(engine, error, journal);
  }
}

/** Loaded when something failed: QEMU waits for the hooks, which as a rule need none of it. */
const failed = (): Promise<typeof import('./failed.ts')> => import('./failed.ts');

/** A permanent change has nothing more to be kept for. */
export async function finish(engine: Engine, journal: Journal): Promise<void> {
  try {
    journal.complete();
    if ('permanent' in journal.head.lifetime) journal.close();
  } catch (error) {
    const why = `the journal could not be written: ${errorText(error)}`;
    const what = `finish ${journal.head.title}`;
    throw await (await failed()).stepFailed(engine, what, { kind: 'refused', why }, journal);
  }
}

/** One step under an open journal. */
export async function carryOut(
  engine: Engine,
  step: Step,
  order: Order,
  journal: Journal,
): Promise<Failure | undefined> {
  let settled: Settled;
  let entries: readonly Entry[];
  order.onStep?.(step);
  try {
    settled = await settle(step, engine.machine, journal.head.id, engine.newToken());
    if (settled.already) return undefined;
    entries = journal.intend(settled.entries);
    await order.onJournal?.(journal);
  } catch (error) {
    if (error instanceof TypeError) throw error;
    return {
      kind: 'refused',
      why: error instanceof NotSettled ? error.message : `before it was begun: ${errorText(error)}`,
    };
  }
  const outcomes = await perform(step.do, entries, engine, journal);
  const states: EntryState[] = outcomes.map(({ kind }) => (kind === 'refused' ? 'dropped' : kind));
  try {
    journal.change(entries.map((entry, index) => ({ n: entry.n, state: states[index] ?? 'unsure' })));
    await order.onJournal?.(journal);
  } catch (error) {
    return { kind: 'unsure', why: `the journal could not be written: ${errorText(error)}`, timedOut: false };
  }
  const failures = outcomes.filter((outcome) => outcome.kind !== 'done');
  return failures[0];
}

/** Nothing is touched before everything that is needed is known to be there, and can be said to it. */
export async function checkTools(engine: Engine, steps: readonly Step[]): Promise<void> {
  for (const step of steps) if ('batch' in step.do) batchText(step.do.lines);
  const tools = new Set(steps.flatMap((step) => toolsOf(step)));
  const missing: string[] = [];
  for (const tool of tools) if ((await engine.machine.which(tool)) === undefined) missing.push(tool);
  if (missing.length === 0) return;
  throw (await failed()).toolsMissing(missing);
}

function toolsOf(step: Step): readonly string[] {
  const undo = 'run' in step.undo ? [step.undo.run[0]] : [];
  if ('run' in step.do) return [step.do.run[0], ...undo];
  if ('load' in step.do) return ['modprobe', ...undo];
  return 'batch' in step.do
    ? [step.do.batch, ...step.do.lines.flatMap((line) => ('run' in line.undo ? [line.undo.run[0]] : []))]
    : undo;
}
