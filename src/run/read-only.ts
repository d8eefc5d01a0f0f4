/** Root may not write either: sudo is no cure. */
import { dirname } from 'node:path';
import { EXIT, QlaunchError } from '../errors.ts';
import { shellLine } from '../plan/shell.ts';

/** QL_READ_ONLY (exit 4) when we are root; undefined: root could. */
export function refusedToRoot(file: string): QlaunchError | undefined {
  if (process.geteuid?.() !== 0) return undefined;
  return new QlaunchError('QL_READ_ONLY', EXIT.host, {
    what: `not even root may write ${file} here; nothing was changed`,
    why: ['its file system is mounted read-only, or the file is immutable'],
    todo: [shellLine(['findmnt', '-T', dirname(file)])],
  });
}
