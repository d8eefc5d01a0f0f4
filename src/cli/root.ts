/** What only root may do. */
import { EXIT, QlaunchError } from '../errors.ts';
import { nameForSudo } from '../host/program.ts';
import { shellLine } from '../plan/shell.ts';

/** This very command, with root's rights. */
export const sudoLine = (): string => `sudo ${shellLine([nameForSudo(), ...process.argv.slice(2)])}`;

/** Throws QL_NEEDS_ROOT (exit 3), before anything is touched. `why`: the steps that need it. */
export function requireRoot(what: string, why: readonly string[] = []): void {
  if (process.geteuid?.() === 0) return;
  throw new QlaunchError('QL_NEEDS_ROOT', EXIT.refused, { what, why, todo: [sudoLine()] });
}
