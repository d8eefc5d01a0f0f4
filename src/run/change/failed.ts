/** A change that could not be made: taken back, and told with what to type. */
import { EXIT, QlaunchError } from '../../errors.ts';
import { installLine } from '../../plan/packages.ts';
import { renderAction } from '../../plan/render.ts';
import type { Step } from '../../plan/step.ts';
import type { Engine } from '../engine.ts';
import type { Journal } from '../journal/journal.ts';
import { errorText, type Failure } from './outcome.ts';
import { type Left, teardown } from './teardown.ts';

export const toolsMissing = (missing: readonly string[]): QlaunchError =>
  new QlaunchError('QL_TOOL_MISSING', EXIT.host, {
    what: `the plan needs ${missing.join(', ')}, not found on this host`,
    why: ['nothing was changed'],
    todo: [installLine(missing)],
  });

/** What to throw. `step`: the one that failed, where there is one. */
export async function stepFailed(
  engine: Engine,
  what: string,
  failure: Failure,
  journal: Journal,
  step?: Step,
): Promise<QlaunchError> {
  const { left, said } = await teardown(engine, journal);
  const stuck = failure.kind === 'unsure' && failure.timedOut;
  const code = left.length > 0 ? 'QL_LEFTOVERS' : stuck ? 'QL_STEP_STUCK' : 'QL_STEP_REFUSED';
  const exit =
    left.some((one) => one.stuck) || stuck ? EXIT.stuck : left.length > 0 ? EXIT.leftovers : EXIT.host;
  return new QlaunchError(code, exit, {
    what: `could not ${what}`,
    why: [failure.why, ...said, ...left.map(leftText)],
    todo: [
      ...left.map((one) => one.byHand),
      ...(step === undefined ? [] : [`run it by hand: ${renderAction(step.do)}`]),
    ],
  });
}

/** What to throw when a plan could not go on: the error itself, unless it could not be taken back wholly either. */
export async function planFailed(engine: Engine, error: unknown, journal: Journal): Promise<unknown> {
  const { left, said } = await teardown(engine, journal);
  return left.length === 0 && said.length === 0 ? error : unfinished(errorText(error), error, left, said);
}

function unfinished(
  what: string,
  cause: unknown,
  left: readonly Left[],
  said: readonly string[],
): QlaunchError {
  const known = cause instanceof QlaunchError ? cause : undefined;
  const exit = left.some((one) => one.stuck)
    ? EXIT.stuck
    : left.length > 0
      ? EXIT.leftovers
      : (known?.exit ?? EXIT.bug);
  const text = {
    what,
    why: [...(known?.why ?? []), ...said, ...left.map(leftText)],
    todo: [...left.map((one) => one.byHand), ...(known?.todo ?? [])],
  };
  return new QlaunchError(left.length > 0 ? 'QL_LEFTOVERS' : (known?.code ?? 'QL_BUG'), exit, text, {
    cause,
  });
}

const leftText = (left: Left): string => `left over: "${left.title}" was not taken back: ${left.why}`;
