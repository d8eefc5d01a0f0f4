/** Rules that somebody took away, or of which something is left. */
import type { Step } from '../step.ts';
import { again } from './chains.ts';

/** What made them, in one transaction with the end of what is left; by iptables in one for each table. */
export function anew(step: Step): readonly Step[] {
  const { do: action, owns } = step;
  if (!('run' in action) || action.stdin === undefined) return [step];
  if (owns === undefined || !('nft' in owns)) return [again(step)];
  const stdin = `add table ${owns.nft}\ndelete table ${owns.nft}\n${action.stdin}`;
  return [{ ...step, do: { ...action, stdin } }];
}
