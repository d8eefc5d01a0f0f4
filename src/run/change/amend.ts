/** More steps for a change that somebody keeps alive, and fewer: what it had before stays as it is. */
import { EXIT, QlaunchError } from '../../errors.ts';
import { renderAction } from '../../plan/render.ts';
import type { Step } from '../../plan/step.ts';
import type { Engine } from '../engine.ts';
import type { Entry } from '../journal/entry.ts';
import type { Journal } from '../journal/journal.ts';
import { carryOut, checkTools, type Order } from './execute.ts';
import type { Left } from './teardown.ts';
import { undoEntry } from './undo-entry.ts';

/** Under the host lock. Throws QL_STEP_REFUSED, QL_STEP_STUCK or QL_LEFTOVERS with these steps taken back. */
export async function addSteps(
  engine: Engine,
  journal: Journal,
  steps: readonly Step[],
  order: Order,
): Promise<void> {
  await checkTools(engine, steps);
  const before = new Set(journal.entries.map(({ n }) => n));
  for (const step of steps) {
    const failure = await carryOut(engine, step, order, journal);
    if (failure === undefined) continue;
    const left = await takeBackSome(engine, journal, ({ n }) => !before.has(n));
    await order.onJournal?.(journal);
    const stuck = failure.kind === 'unsure' && failure.timedOut;
    const code = left.length > 0 ? 'QL_LEFTOVERS' : stuck ? 'QL_STEP_STUCK' : 'QL_STEP_REFUSED';
    throw new QlaunchError(code, stuck ? EXIT.stuck : left.length > 0 ? EXIT.leftovers : EXIT.host, {
      what: `could not ${step.title}`,
      why: [failure.why, ...left.map(({ title, why }) => `left over: "${title}" was not taken back: ${why}`)],
      todo: [...left.map(({ byHand }) => byHand), `run it by hand: ${renderAction(step.do)}`],
    });
  }
}

/** Under the host lock. Newest first; gives what could not be taken back, which stays in the journal. */
export async function takeBackSome(
  engine: Engine,
  journal: Journal,
  which: (entry: Entry) => boolean,
): Promise<readonly Left[]> {
  const left: Left[] = [];
  for (const entry of journal.open.filter(which)) {
    const outcome = await undoEntry(entry, engine);
    if (outcome.kind === 'undone') journal.change([{ n: entry.n, state: 'undone' }]);
    else
      left.push({
        title: entry.title,
        why: outcome.why,
        byHand: entry.byHand,
        stuck: outcome.kind === 'stuck',
      });
  }
  return left;
}
