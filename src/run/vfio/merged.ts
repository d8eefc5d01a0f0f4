/** Several changes taken back one after the other, as one answer. */
import { EXIT, type ExitStatus } from '../../errors.ts';
import type { Recovered } from '../recover.ts';

export const NOTHING: Recovered = { undone: [], left: [], said: [], reported: [], exit: EXIT.ok };

export function merged(a: Recovered, b: Recovered): Recovered {
  const exit: ExitStatus = a.exit === EXIT.ok ? b.exit : a.exit;
  return {
    undone: [...a.undone, ...b.undone],
    left: [...a.left, ...b.left],
    said: [...a.said, ...b.said],
    reported: [...a.reported, ...b.reported],
    exit,
  };
}
