/** The user's own ssh(1), on this terminal. */
import { spawnSync } from 'node:child_process';
import { EXIT, QlaunchError } from '../errors.ts';

/** Its exit status: 255 when it could not connect. Throws QL_SSH_MISSING (exit 4). */
export function runSsh(words: readonly string[]): number {
  const { status, error } = spawnSync('ssh', words, { stdio: 'inherit' });
  if (error === undefined) return status ?? EXIT.host;
  throw new QlaunchError('QL_SSH_MISSING', EXIT.host, {
    what: 'ssh could not be run',
    why: [error.message],
    todo: ['sudo apt install openssh-client'],
  });
}
