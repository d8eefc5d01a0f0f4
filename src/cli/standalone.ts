/** The three programs in one executable (npm run build:standalone): the name it is called by tells which. */

import { dlopen } from 'bun:ffi';
import { basename } from 'node:path';
import { useFlock } from '../host/flock.ts';

/**
 * What Node does when it starts a child, or can not do at all. QEMU blocks SIGALRM, SIGUSR1, SIGIO and SIGBUS, and Bun's
 * children would inherit that: `flock -w` would wait for ever.
 */
function callTheSystem(): void {
  try {
    const { symbols } = dlopen('libc.so.6', {
      sigprocmask: { args: ['i32', 'ptr', 'ptr'], returns: 'i32' },
      flock: { args: ['i32', 'i32'], returns: 'i32' },
    });
    // SIG_SETMASK is 2; a sigset_t of glibc has 128 bytes.
    symbols.sigprocmask(2, new Uint8Array(128), null);
    // LOCK_EX | LOCK_NB
    useFlock((fd) => symbols.flock(fd, 2 | 4));
  } catch {
    // Another libc: only a lock that is taken for longer than we wait would notice.
  }
}

const name = basename(process.argv0);
const argv = process.argv.slice(2);
callTheSystem();
if (name === 'qemu-ifup') void import('./hook-up.ts').then(({ ifup }) => ifup(argv));
else if (name === 'qemu-ifdown') void import('./hook-down.ts').then(({ ifdown }) => ifdown(argv));
else void import('./qlaunch.ts');
