/** Where the person at the keyboard is: the other end of the SSH session that we run in. */
import { readFileSync } from 'node:fs';

export interface SshSession {
  /** The address of the other end. */
  readonly peer: string;
  /** This host's own in it. */
  readonly own: string;
}

/** undefined: no SSH session. sudo drops SSH_CONNECTION, so our parents are asked as well (sshd(8)). */
export function sshSession(): SshSession | undefined {
  let pid = 'self';
  for (let depth = 0; depth < 32; depth += 1) {
    const entry = read(`/proc/${pid}/environ`)
      .split('\0')
      .find((one) => one.startsWith('SSH_CONNECTION='));
    const [peer = '', , own = ''] = entry?.slice('SSH_CONNECTION='.length).split(' ') ?? [];
    if (peer !== '') return { peer, own };
    // Behind the name, which may hold anything: the state, then the parent.
    const parent = /\) \S+ (\d+)/.exec(read(`/proc/${pid}/stat`))?.[1];
    if (parent === undefined || parent === '0' || parent === '1') return undefined;
    pid = parent;
  }
  return undefined;
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // A parent of another user: what it says is not ours to know.
    return '';
  }
}
