/** Starting QEMU under its waiter. QEMU's parent is a shell, never us. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { EXIT, QlaunchError } from '../../errors.ts';
import type { Argv } from '../../plan/step.ts';
import { FILES, GUARD_NAME, guard, WAITER, WAITER_NAME } from '../../plan/vm/waiter.ts';
import { asRoot, type Identity } from './user.ts';

export interface SpawnWish {
  readonly dir: string;
  readonly argv: Argv;
  /** The VM's lock; waiter and QEMU inherit it and so hold it for as long as they live. */
  readonly lockFd: number;
  /** Descriptors of ours that QEMU gets under the same numbers (`--net tap,fd=N`). */
  readonly inherit: readonly number[];
  /** QEMU's serial line is our terminal. */
  readonly terminal: boolean;
  readonly who: Identity;
  /** `prlimit …`: with our rights, before they are dropped. */
  readonly limits: readonly string[];
  readonly cwd: string;
  /** The script that takes back what lives on the host as long as the VM. */
  readonly undo?: string;
}

/** A supplementary group of the user (kvm, disk) counts for QEMU; Node's own uid option would drop it. */
export function dropPrivileges(who: Identity): readonly string[] {
  if (!who.dropTo) return [];
  return ['setpriv', '--reuid', String(who.user.uid), '--regid', String(who.user.gid), '--init-groups', '--'];
}

/** The variables that QEMU and what it starts may see. NODE_* would slow down every Node hook (ifup). */
function cleanEnv(env: NodeJS.ProcessEnv, who: Identity): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _o, NODE_EXTRA_CA_CERTS: _c, SUDO_COMMAND: _s, ...kept } = env;
  return who.dropTo ? { ...kept, HOME: who.user.home, USER: who.user.name, LOGNAME: who.user.name } : kept;
}

export interface Waiter {
  readonly pid: number;
  /** Settles when the waiter, and its guard, have ended: as a rule right after QEMU. */
  readonly ended: Promise<void>;
  /** Opens the guard's gate; without a guard QEMU is on its way already. */
  go(): void;
  /** Closes it for good: the guard ends, and QEMU is never started. */
  cancel(): void;
}

/**
 * Resolves once the waiter runs. It leads a session of its own, so that Ctrl-C meets only us, and outlives us. Its pid
 * is written down by us and not by it: through a slow setpriv it would have none for a while.
 */
export async function spawnWaiter(wish: SpawnWish): Promise<Waiter> {
  const fds = descriptors(wish);
  const gate = wish.undo === undefined ? undefined : freeDigit(fds);
  const drop = [...wish.limits, ...dropPrivileges(wish.who)];
  const waiter = [...drop, '/bin/sh', '-c', WAITER, WAITER_NAME, wish.dir, ...wish.argv];
  const words =
    wish.undo === undefined || gate === undefined
      ? waiter
      : ['/bin/sh', '-c', guard(gate, 3 + fds.indexOf(wish.lockFd)), GUARD_NAME, wish.undo, ...waiter];
  const [program = '/bin/sh', ...args] = words;
  const terminal = wish.terminal ? 'inherit' : 'ignore';
  const rest = fds.map((fd, i) => (i + 3 === gate ? 'pipe' : fd));
  const child = asRoot(wish.who, () =>
    spawn(program, args, {
      cwd: wish.cwd,
      detached: true,
      env: cleanEnv(process.env, wish.who),
      // QEMU's stderr is sent to its log by the waiter.
      stdio: [terminal, terminal, 'ignore', ...rest],
    }),
  );
  if (child.pid !== undefined)
    writeFileSync(join(wish.dir, FILES.waiter), `${child.pid}\n`, { mode: 0o600, flag: 'wx' });
  rmSync(join(wish.dir, FILES.launcher), { force: true });
  child.unref();
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  await once(child, 'spawn');
  const opening = gate === undefined ? undefined : child.stdio[gate];
  return {
    pid: child.pid ?? 0,
    ended,
    go() {
      // The guard keeps its end for as long as it lives; ours would keep us.
      if (opening instanceof Socket) opening.end('go\n', () => opening.destroy());
    },
    cancel() {
      if (opening instanceof Socket) opening.destroy();
    },
  };
}

/** Where a shell's `<&N` reaches, N is one digit. The list grows to it. */
function freeDigit(fds: ('ignore' | number)[]): number {
  const at = fds.indexOf('ignore');
  const index = at < 0 ? fds.length : at;
  if (index > 9 - 3)
    throw new QlaunchError('QL_DESCRIPTORS', EXIT.refused, {
      what: 'no descriptor below 10 is free for the start of this VM',
      why: ['--net tap,fd=N takes them all'],
      todo: ['give higher numbers'],
    });
  fds[index] = 'ignore';
  return index + 3;
}

/** From 3 on: each wanted descriptor at its own number, the lock at the first that is free. */
function descriptors({ inherit, lockFd }: SpawnWish): ('ignore' | number)[] {
  const last = Math.max(2, ...inherit);
  const row = Array.from({ length: last - 2 }, (_, i) =>
    inherit.includes(i + 3) ? i + 3 : ('ignore' as const),
  );
  const free = row.indexOf('ignore');
  if (free < 0) return [...row, lockFd];
  return row.map((fd, i) => (i === free ? lockFd : fd));
}
