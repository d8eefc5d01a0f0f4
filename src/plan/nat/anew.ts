/** A table of nft that somebody took away, or emptied only. */
import type { Step } from '../step.ts';

/** The step that made it, in one transaction with the end of what is left of it. */
export function anew(step: Step): Step {
  const { do: action, owns } = step;
  if (!('run' in action) || action.stdin === undefined || owns === undefined || !('nft' in owns)) return step;
  const stdin = `add table ${owns.nft}\ndelete table ${owns.nft}\n${action.stdin}`;
  return { ...step, do: { ...action, stdin } };
}
