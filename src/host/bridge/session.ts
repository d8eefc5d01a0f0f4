/** Where the person at the keyboard is: the other end of the SSH session that we run in. */
import { readFileSync } from 'node:fs';

/** An address; undefined: no SSH session. sudo drops SSH_CONNECTION, so our parents are asked as well (sshd(8)). */
export function sshPeer(): string | undefined {
  let pid = 'self';
  for (let depth = 0; depth < 32; depth += 1) {
    const entry = read(`/proc/${pid}/environ`)
      .split('\0')
      .find((one) => one.startsWith('SSH_CONNECTION='));
    const peer = entry?.slice('SSH_CONNECTION='.length).split(' ')[0];
    if (peer !== undefined && peer !== '') return peer;
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
