/**
 * Where a VM's run-time files live. Root: /run/qlaunch/vm/UID/NAME (parents 0711, the last one QEMU's user's).
 * Others: $XDG_STATE_HOME/qlaunch/run/BOOT_ID/NAME, because XDG_RUNTIME_DIR may be unset and is wiped at logout
 * while a VM lives on.
 */

import { chmodSync, lchownSync, lstatSync, mkdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { EXIT, QlaunchError } from '../../errors.ts';
import { shellWord } from '../../plan/shell.ts';
import { makeFolders } from '../linux-files.ts';
import { absolute, type StatePaths, statePaths } from '../state-paths.ts';
import { listDirs, ownerOf } from './store.ts';
import { asOwner, type Identity } from './user.ts';

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

export interface VmRoot {
  readonly dir: string;
  readonly uid: number;
}

/** The folders that hold the VMs of QEMU's user, or of all users where we are root; those that sudo made left out. */
export function vmRoots(who: Identity, env: NodeJS.ProcessEnv, allUsers: boolean): readonly VmRoot[] {
  if (!allUsers || !who.root) return [{ dir: runRoot(who, env), uid: who.user.uid }];
  return visibleVmRoots(who, env).map((dir) => ({ dir, uid: Number(basename(dir)) }));
}

/** Every short place where sockets of these users' VMs may have been made. */
export function socketRoots(roots: readonly VmRoot[], env: NodeJS.ProcessEnv): readonly VmRoot[] {
  const runtime = absolute(env['XDG_RUNTIME_DIR']);
  return roots.flatMap(({ uid }) => [
    ...(runtime === undefined ? [] : [{ dir: join(runtime, 'qlaunch'), uid }]),
    { dir: join('/tmp', `qlaunch-${uid}`), uid },
  ]);
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

/**
 * Every folder that holds VMs the caller may see, absolute: root sees all users' under /run, and under sudo those that
 * the user started without; others see their own, and those that were started for them by sudo. A folder may not be
 * there.
 */
export function visibleVmRoots(who: Identity, env: NodeJS.ProcessEnv): readonly string[] {
  if (who.root) {
    const base = join(placesOf(who, env).runtime, 'vm');
    const shared = listDirs(base)
      .filter((uid) => /^\d+$/.test(uid))
      .map((uid) => join(base, uid));
    return [...shared, ...withoutSudo(who, env)];
  }
  const own = runRoot(who, env);
  return isShared(who, env) ? [own] : [own, join(ROOTS_VMS, String(who.user.uid))];
}

/** Where the user who called sudo starts VMs without it, as far as root can know: XDG_STATE_HOME did not come along. */
function withoutSudo(who: Identity, env: NodeJS.ProcessEnv): readonly string[] {
  if (!who.dropTo || (env['QLAUNCH_RUNTIME_DIR'] ?? '') !== '') return [];
  const own = statePaths({}, who.user).runtime;
  return ownerOf(own) === who.user.uid ? [own] : [];
}

/**
 * Makes `dir` and its missing parents; the last folder is 0700 and owned by QEMU's user, parents made here 0711
 * whatever the umask is. Under /tmp and XDG_RUNTIME_DIR the parent is the user's own, 0700.
 * Errors: QL_STATE_DIR when another user owns `dir` or its parent (in /tmp anybody may have made it first), when
 * others may write there, when it is a symlink, or when QEMU's user cannot get there.
 */
export function makePrivateDir(dir: string, who: Identity): void {
  const parent = dirname(dir);
  telling(parent, () => makeParent(parent, who));
  const above = checkOwn(parent, who);
  // In a user's folder root would chown whatever the user has put there meanwhile.
  telling(dir, () => asOwner(above, () => makeOnce(dir, 0o700)));
  if (who.dropTo && above.uid === 0) handOver(dir, who);
  const { uid } = checkOwn(dir, who);
  if (!who.dropTo || (uid === who.user.uid && reaches(dir, who))) return;
  throw new QlaunchError('QL_STATE_DIR', EXIT.refused, {
    what: `user ${who.user.name} cannot use ${dir}`,
    why: ['QEMU runs as that user, and a directory on the way there is closed to it'],
    todo: [`namei -l ${dir}`, 'set QLAUNCH_RUNTIME_DIR to a directory below one that everybody may pass'],
  });
}

/** Root made it, in a folder of root's: it becomes the user's, and the way to it is open. */
function handOver(dir: string, { user }: Identity): void {
  if (lstatSync(dir).uid === 0) lchownSync(dir, user.uid, user.gid);
  const perUser = dirname(dir);
  for (const level of [perUser, dirname(perUser), dirname(dirname(perUser))]) openPassage(level);
  // So that the user's own `ps` sees what sudo started for it.
  lchownSync(perUser, 0, user.gid);
  chmodSync(perUser, 0o751);
}

function telling(dir: string, make: () => void): void {
  try {
    make();
  } catch (error) {
    throw new QlaunchError('QL_STATE_DIR', EXIT.host, {
      what: `cannot make ${dir}`,
      why: [(error as Error).message],
      todo: [`namei -l ${dirname(dir)}`],
    });
  }
}

function makeParent(parent: string, who: Identity): void {
  if (lstatSync(parent, { throwIfNoEntry: false }) !== undefined) return;
  const near = nearest(dirname(parent));
  const { uid, gid, mode } = statSync(near);
  const isShared = (mode & 0o002) !== 0;
  const make = (): void =>
    near === dirname(parent) && (isShared || uid !== 0) ? makeOnce(parent, 0o700) : makePassage(parent);
  // A user's folders are made with its rights, and so is the one that is to be its own in /tmp.
  if (uid === who.user.uid) asOwner({ uid, gid }, make);
  else if (isShared && near === dirname(parent)) asOwner(who.user, make);
  else make();
}

/** The first folder upwards that is there. */
function nearest(dir: string): string {
  return statSync(dir, { throwIfNoEntry: false }) === undefined ? nearest(dirname(dir)) : dir;
}

function makeOnce(dir: string, mode: number): void {
  try {
    mkdirSync(dir, { mode });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** Makes `dir` and what is missing above it, 0711 whatever the umask: others pass through, and see no names. */
export function makePassage(dir: string): void {
  const umask = process.umask(0o066);
  try {
    makeFolders(dir, 0o711);
  } finally {
    process.umask(umask);
  }
}

/** For a folder of root's, that an earlier start under umask 077 may have closed. */
export function openPassage(dir: string): void {
  const { uid, mode } = lstatSync(dir);
  if (uid === 0 && (mode & 0o011) !== 0o011) chmodSync(dir, (mode & 0o7777) | 0o011);
}

/** access(2) would ask for our real user. */
function reaches(dir: string, who: Identity): boolean {
  return asOwner(who.user, () => {
    try {
      return statSync(`${dir}/.`).isDirectory();
    } catch {
      return false;
    }
  });
}

function checkOwn(dir: string, who: Identity): { readonly uid: number; readonly gid: number } {
  const stat = lstatSync(dir);
  const { uid, gid, mode } = stat;
  const wrong = !stat.isDirectory()
    ? 'it is not a directory'
    : uid !== who.user.uid && !(who.root && uid === 0)
      ? `it belongs to uid ${uid}`
      : (mode & 0o022) !== 0
        ? 'others may write there'
        : undefined;
  if (wrong === undefined) return { uid, gid };
  throw new QlaunchError('QL_STATE_DIR', EXIT.refused, {
    what: `will not use ${dir}`,
    why: [`it is not a private directory of user ${who.user.name}: ${wrong}`],
    todo: [`ls -ld ${shellWord(dir)}`],
  });
}
