/** ifup.ini: what stands in it is done by root, so nobody else may be able to write it. */
import { readFileSync, statSync } from 'node:fs';
import { EXIT, QlaunchError } from '../../errors.ts';
import { checkParents } from '../store.ts';

/** undefined when there is none. Throws QL_STATE_UNSAFE (exit 3). */
export function readRulesFile(path: string): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return undefined;
  const owner = stat.uid === 0 || stat.uid === process.geteuid?.();
  if (!owner || !stat.isFile() || (stat.mode & 0o022) !== 0) {
    throw new QlaunchError('QL_STATE_UNSAFE', EXIT.refused, {
      what: `will not read ${path}`,
      why: [owner ? 'others may write it, or it is no file' : `it belongs to uid ${stat.uid}`],
      todo: [`chown root: ${path} && chmod 0644 ${path}`],
    });
  }
  checkParents(path);
  return readFileSync(path, 'utf8');
}
