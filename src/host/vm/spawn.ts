/** Starting QEMU under its waiter. Built-ins only: `-d` must not pay for execa. */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { Argv } from '../../plan/step.ts';
import { FILES, WAITER, WAITER_NAME } from '../../plan/vm/waiter.ts';
import { asRoot, type Identity } from './user.ts';

export interface SpawnWish {
  readonly dir: string;
  readonly argv: Argv;
  /** The VM's lock; waiter and QEMU inherit it and so hold it for as long as they live. */
  readonly lockFd: number;
  /** QEMU's serial line is our terminal. */
  readonly terminal: boolean;
  readonly who: Identity;
  readonly cwd: string;
}

/** A supplementary group of the user (kvm, disk) counts for QEMU; Node's own uid option would drop it. */
export function dropPrivileges(who: Identity): readonly string[] {
  if (!who.dropTo) return [];
  return ['setpriv', '--reuid', String(who.user.uid), '--regid', String(who.user.gid), '--init-groups', '--'];
}

/** The variables that QEMU and what it starts may see. NODE_* would slow down every Node hook (ifup). */
export function cleanEnv(env: NodeJS.ProcessEnv, who: Identity): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _o, NODE_EXTRA_CA_CERTS: _c, SUDO_COMMAND: _s, ...kept } = env;
  return who.dropTo ? { ...kept, HOME: who.user.home, USER: who.user.name, LOGNAME: who.user.name } : kept;
}

/** Resolves with the waiter's pid once it runs; it leads a session of its own, so that Ctrl-C meets only us. */
export function spawnWaiter(wish: SpawnWish): Promise<number> {
  const log = openSync(join(wish.dir, FILES.qemuLog), 'a', 0o600);
  const words = [...dropPrivileges(wish.who), '/bin/sh', '-c', WAITER, WAITER_NAME, wish.dir, ...wish.argv];
  const [program = '/bin/sh', ...args] = words;
  const input = wish.terminal ? ('inherit' as const) : ('ignore' as const);
  const child = asRoot(wish.who, () =>
    spawn(program, args, {
      cwd: wish.cwd,
      detached: true,
      env: cleanEnv(process.env, wish.who),
      stdio: [input, wish.terminal ? 'inherit' : log, log, wish.lockFd],
    }),
  );
  child.unref();
  return new Promise((resolve, reject) => {
    child.once('spawn', () => {
      closeSync(log);
      resolve(child.pid ?? 0);
    });
    child.once('error', reject);
  });
}
