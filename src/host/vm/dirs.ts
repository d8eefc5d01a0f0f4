/**
 * Where a VM's run-time files live. Root: /run/qlaunch/vm/UID/NAME (parents 0711, the last one QEMU's user's).
 * Others: $XDG_STATE_HOME/qlaunch/run/BOOT_ID/NAME, because XDG_RUNTIME_DIR may be unset and is wiped at logout
 * while a VM lives on.
 */
import { chownSync, lstatSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT, QlaunchError } from '../../errors.ts';
import { bootId } from '../ids.ts';
import type { Identity } from './user.ts';

/** sun_path is 108 bytes with its closing NUL (unix(7)). */
const SOCKET_PATH_BYTES = 107;
const LONGEST_SOCKET = 'supervisor.sock';

export interface VmDirs {
  /** The folder that holds one folder per VM of this user. */
  readonly root: string;
  /** Where the sockets are made: `root`, or a shorter place when the path would not fit. */
  readonly socketRoot: string;
  /** Recorded image formats, UEFI variables: what outlives a boot. */
  readonly state: string;
}

export function vmDirs(who: Identity, env: NodeJS.ProcessEnv, longestName = 63): VmDirs {
  const state =
    env['QLAUNCH_STATE_DIR'] ?? (who.root ? '/var/lib/qlaunch' : join(stateHome(who, env), 'qlaunch'));
  const root = runRoot(who, env);
  const fits = (dir: string): boolean =>
    Buffer.byteLength(dir) + longestName + LONGEST_SOCKET.length + 2 <= SOCKET_PATH_BYTES;
  if (fits(root)) return { root, socketRoot: root, state };
  const runtime = env['XDG_RUNTIME_DIR'];
  const short =
    runtime !== undefined && runtime !== ''
      ? join(runtime, 'qlaunch')
      : join('/tmp', `qlaunch-${who.user.uid}`);
  return { root, socketRoot: fits(short) ? short : join('/tmp', `qlaunch-${who.user.uid}`), state };
}

function stateHome(who: Identity, env: NodeJS.ProcessEnv): string {
  const given = env['XDG_STATE_HOME'];
  return given?.startsWith('/') && !who.dropTo ? given : join(who.user.home, '.local/state');
}

function runRoot(who: Identity, env: NodeJS.ProcessEnv): string {
  const given = env['QLAUNCH_RUNTIME_DIR'];
  if (given !== undefined) return join(given, 'vm', String(who.user.uid));
  if (who.root) return join('/run/qlaunch/vm', String(who.user.uid));
  return join(stateHome(who, env), 'qlaunch/run', bootId());
}

/** Every folder whose VMs the caller may see: root sees all users' under /run. Pairs of (folder, whose). */
export function visibleRoots(who: Identity, env: NodeJS.ProcessEnv): { base: string; perUser: boolean } {
  if (!who.root) return { base: runRoot(who, env), perUser: false };
  return { base: join(env['QLAUNCH_RUNTIME_DIR'] ?? '/run/qlaunch', 'vm'), perUser: true };
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
