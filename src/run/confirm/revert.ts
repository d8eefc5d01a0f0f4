/** A change on trial, taken back because somebody said so. */
import { EXIT } from '../../errors.ts';
import type { Engine } from '../engine.ts';
import type { Recovered } from '../recover.ts';
import { revertChange } from './confirm.ts';

/** Errors: QL_NO_TRIAL (exit 2), QL_TOO_LATE (exit 3). */
export async function revertTrial(engine: Engine, id: string): Promise<Recovered> {
  const { left, said } = await revertChange(engine, id);
  const exit = left.some(({ stuck }) => stuck) ? EXIT.stuck : left.length > 0 ? EXIT.leftovers : EXIT.ok;
  const open = left.map((one) => ({ ...one, id }));
  return { undone: left.length > 0 ? [] : [id], left: open, said, reported: [], exit };
}
