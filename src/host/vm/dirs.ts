/**
 * Where a VM's run-time files live. Root: /run/qlaunch/vm/UID/NAME (parents 0711, the last one QEMU's user's).
 * Others: $XDG_STATE_HOME/qlaunch/run/BOOT_ID/NAME, because XDG_RUNTIME_DIR may be unset and is wiped at logout
 * while a VM lives on.
 */
import { chownSync, lstatSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT, QlaunchError } from '../../errors.ts';
import { absolute, type StatePaths, statePaths } from '../state-paths.ts';
import { listDirs } from './store.ts';
import type { Identity } from './user.ts';

/** sun_path is 108 bytes with its closing NUL (unix(7)). */
const SOCKET_PATH_BYTES = 107;
const LONGEST_SOCKET = 'supervisor.sock';

/** Where root starts users' VMs unless QLAUNCH_RUNTIME_DIR moves it. */
const ROOTS_VMS = '/run/qlaunch/vm';

export interface VmDirs {
  /** The folder that holds one folder per VM of this user. */
  readonly root: string;
  /** Where the sockets are made: `root`, or a shorter place when the path would not fit. */
  readonly socketRoot: string;
  /** Recorded image formats, UEFI variables: what outlives a boot. */
  readonly state: string;
}

export function vmDirs(who: Identity, env: NodeJS.ProcessEnv, longestName = 63): VmDirs {
  const { state } = placesOf(who, env);
  const root = runRoot(who, env);
  const fits = (dir: string): boolean =>
    Buffer.byteLength(dir) + longestName + LONGEST_SOCKET.length + 2 <= SOCKET_PATH_BYTES;
  if (fits(root)) return { root, socketRoot: root, state };
  // Under sudo the variable is root's, or a user's that root must not be led by.
  const runtime = who.dropTo ? undefined : absolute(env['XDG_RUNTIME_DIR']);
  const short = runtime === undefined ? undefined : join(runtime, 'qlaunch');
  const socketRoot = short !== undefined && fits(short) ? short : join('/tmp', `qlaunch-${who.user.uid}`);
  return { root, socketRoot, state };
}

function placesOf(who: Identity, env: NodeJS.ProcessEnv): StatePaths {
  return statePaths(env, { ...who.user, dropTo: who.dropTo });
}

/** A place that several users share has one folder for each. */
function isShared(who: Identity, env: NodeJS.ProcessEnv): boolean {
  return who.root || (env['QLAUNCH_RUNTIME_DIR'] ?? '') !== '';
}

function runRoot(who: Identity, env: NodeJS.ProcessEnv): string {
  const { runtime } = placesOf(who, env);
  return isShared(who, env) ? join(runtime, 'vm', String(who.user.uid)) : runtime;
}

/** Every folder whose VMs the caller may see: root sees all users' under /run. Pairs of (folder, whose). */
export function visibleRoots(who: Identity, env: NodeJS.ProcessEnv): { base: string; perUser: boolean } {
  if (!who.root) return { base: runRoot(who, env), perUser: false };
  return { base: join(placesOf(who, env).runtime, 'vm'), perUser: true };
}

/**
 * Every folder that holds VMs the caller may see, absolute: root sees all users' under /run; others see their own,
 * and those that were started for them by sudo. A folder may not be there.
 */
export function visibleVmRoots(who: Identity, env: NodeJS.ProcessEnv): readonly string[] {
  if (who.root) {
    const base = join(placesOf(who, env).runtime, 'vm');
    return listDirs(base)
      .filter((uid) => /^\d+$/.test(uid))
      .map((uid) => join(base, uid));
  }
  const own = runRoot(who, env);
  return isShared(who, env) ? [own] : [own, join(ROOTS_VMS, String(who.user.uid))];
}

/**
 * Makes `dir` and its missing parents; the last folder is 0700 and owned by QEMU's user, parents made here 0711.
 * Refuses one that another user owns: in /tmp anybody may have made it first.
 */
export function makePrivateDir(dir: string, who: Identity): void {
  const parent = join(dir, '..');
  mkdirSync(parent, { recursive: true, mode: 0o711 });
  try {
    mkdirSync(dir, { mode: 0o700 });
    if (who.dropTo) chownSync(dir, who.user.uid, who.user.gid);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const stat = lstatSync(dir);
  const ours =
    stat.isDirectory() &&
    (stat.uid === who.user.uid || (who.root && stat.uid === 0)) &&
    (stat.mode & 0o022) === 0;
  if (!ours)
    throw new QlaunchError('QL_STATE_DIR', EXIT.refused, {
      what: `will not use ${dir}`,
      why: [`it is not a private directory of user ${who.user.name}`],
      todo: [`ls -ld ${dir}`],
    });
}
