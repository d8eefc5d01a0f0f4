/** Programs that root is going to run again and again, without anybody looking. */
import { EXIT, QlaunchError } from '../errors.ts';
import { writableByOthers } from '../host/hook/programs.ts';
import type { Argv } from '../plan/step.ts';
import { note } from './terminal.ts';

/** Throws QL_STATE_UNSAFE (exit 3) when anybody may write them; says whose they are when they are not root's. */
export function requireTrusted(programs: readonly Argv[], what: string): void {
  const writable = writableByOthers(programs);
  if (writable === undefined) return;
  const { path, uid, byOthers } = writable;
  if (!byOthers) {
    note(`${path} belongs to uid ${uid}, who thereby says what root runs`);
    return;
  }
  throw new QlaunchError('QL_STATE_UNSAFE', EXIT.refused, {
    what: `will not make root run ${what}`,
    why: [`others may write ${path}`],
    todo: [`chmod go-w ${path}`, 'or install qlaunch for all users, as root'],
  });
}
