/** Who asks, and for whom QEMU runs (design.md, "Privilege, processes, state"). */
import { readFileSync, statSync } from 'node:fs';
import { EXIT, QlaunchError } from '../../errors.ts';
import { absolute } from '../state-paths.ts';

export interface User {
  readonly uid: number;
  readonly gid: number;
  readonly name: string;
  readonly home: string;
}

export interface Identity {
  /** The user QEMU runs as: under sudo the invoking user, else ourselves, else --run-as. */
  readonly user: User;
  /** We are root and `user` is somebody else: QEMU is started through setpriv. */
  readonly dropTo: boolean;
  readonly root: boolean;
}

/** passwd(5): name:password:uid:gid:gecos:home:shell */
function parse(line: string): User | undefined {
  const [name, , uid, gid, , home] = line.split(':');
  if (name === undefined || uid === undefined || gid === undefined || home === undefined) return undefined;
  return { name, uid: Number(uid), gid: Number(gid), home };
}

/**
 * By number, or by name or number. What /etc/passwd does not have, getent(1) is asked for: users of LDAP and its like
 * are known to NSS only.
 */
function findUser(key: string, by: 'uid' | 'either'): User | undefined {
  const users = passwd().split('\n').map(parse);
  const named = by === 'uid' ? undefined : users.find((user) => user?.name === key);
  return named ?? users.find((user) => String(user?.uid) === key) ?? askNss(key);
}

/** By name or number. */
export const userNamed = (key: string): User | undefined => findUser(key, 'either');

function passwd(): string {
  try {
    return readFileSync('/etc/passwd', 'utf8');
  } catch {
    // A machine may have none at all.
    return '';
  }
}

function askNss(key: string): User | undefined {
  // It would be taken for an option.
  if (key === '' || key.startsWith('-')) return undefined;
  // Most machines never come here, and every command would pay for loading it.
  const { spawnSync } = process.getBuiltinModule('node:child_process');
  const { status, stdout } = spawnSync('getent', ['passwd', key], { encoding: 'utf8', timeout: NSS_MS });
  return status === 0 ? parse(stdout.trimEnd()) : undefined;
}

/** A directory server that is away must not keep us for ever. */
const NSS_MS = 10_000;

/**
 * Errors: QL_RUN_AS when there is no such user, or we are not root; QL_SUDO_USER when sudo was called by a uid that
 * nobody has.
 */
export function identity(env: NodeJS.ProcessEnv, runAs?: string): Identity {
  const uid = process.getuid?.() ?? 0;
  const gid = process.getgid?.() ?? 0;
  const root = uid === 0;
  if (runAs !== undefined) {
    const user = findUser(runAs, 'either');
    if (user === undefined) throw unknownUser(runAs);
    if (!root && user.uid !== uid) throw notRoot(runAs);
    return { user, dropTo: root && user.uid !== 0, root };
  }
  const sudoUid = env['SUDO_UID'];
  if (root && sudoUid !== undefined && /^\d+$/.test(sudoUid) && sudoUid !== '0') {
    const user = findUser(sudoUid, 'uid');
    if (user === undefined) throw unknownCaller(sudoUid);
    return { user, dropTo: true, root };
  }
  const home = absolute(env['HOME']) ?? findUser(String(uid), 'uid')?.home ?? '/';
  // USER is what somebody wrote (su, setpriv and cron leave that of others); NSS would cost every command a process.
  const known = passwd().split('\n').map(parse);
  const name = known.find((user) => user?.uid === uid)?.name ?? (env['USER'] || String(uid));
  return { user: { uid, gid, name, home }, dropTo: false, root };
}

/** Asked once: a user's groups come from the name service, and its files may be opened many times. */
const known = new Map<string, readonly number[]>();

/** The user's own and supplementary ones, as initgroups(3) would set them. */
function groupsOf({ name, gid }: User): readonly number[] {
  // Asked again when an administrator has changed the list meanwhile (usermod -aG).
  const changed = statSync('/etc/group', { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const key = `${changed} ${name}`;
  const groups = known.get(key) ?? askGroups(name) ?? [gid, ...listedGroups(name)];
  known.set(key, groups);
  return groups;
}

function askGroups(name: string): readonly number[] | undefined {
  const { spawnSync } = process.getBuiltinModule('node:child_process');
  const asked = spawnSync('id', ['-G', '--', name], { encoding: 'utf8', timeout: NSS_MS });
  return asked.status === 0 ? asked.stdout.trim().split(/\s+/).map(Number) : undefined;
}

/** group(5): name:password:gid:user,user. For a user that id(1) does not know, as in a chroot. */
function listedGroups(user: string): readonly number[] {
  const fields = readFileSync('/etc/group', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  return fields
    .filter(([, , , members]) => members?.split(',').includes(user))
    .map(([, , gid]) => Number(gid));
}

/** From here on with the rights of QEMU's user; root comes back only inside asRoot(). */
export function becomeUser(who: Identity): void {
  if (!who.dropTo) return;
  process.setgroups?.([...groupsOf(who.user)]);
  process.setegid?.(who.user.gid);
  process.seteuid?.(who.user.uid);
}

function becomeRoot(): void {
  process.seteuid?.(0);
  process.setegid?.(0);
  process.setgroups?.([0]);
}

/** A user's files are untrusted and its directories may hold symlinks: they are opened with its rights only. */
export function asUser<T>(who: Identity, work: () => T): T {
  if (!who.dropTo) return work();
  becomeUser(who);
  try {
    return work();
  } finally {
    becomeRoot();
  }
}

export function asRoot<T>(who: Identity, work: () => T): T {
  if (!who.dropTo) return work();
  becomeRoot();
  try {
    return work();
  } finally {
    becomeUser(who);
  }
}

/** asRoot() for work that waits; nothing may go on meanwhile that counts on the user's rights. */
export async function whileRoot<T>(who: Identity, work: () => Promise<T>): Promise<T> {
  if (!who.dropTo) return work();
  becomeRoot();
  try {
    return await work();
  } finally {
    becomeUser(who);
  }
}

/**
 * With the rights of whoever owns a directory, for work in it that a symlink could lead astray. When we are root and
 * it is root's, or when we are not root, as we are. Synchronous work only: the rights are the whole process's.
 */
export function asOwner<T>(owner: { readonly uid: number; readonly gid: number }, work: () => T): T {
  if (process.geteuid?.() !== 0 || owner.uid === 0) return work();
  const [gid, groups] = [process.getegid?.() ?? 0, process.getgroups?.() ?? []];
  process.setgroups?.([owner.gid]);
  process.setegid?.(owner.gid);
  process.seteuid?.(owner.uid);
  try {
    return work();
  } finally {
    process.seteuid?.(0);
    process.setegid?.(gid);
    process.setgroups?.(groups);
  }
}

function unknownUser(name: string): QlaunchError {
  return new QlaunchError('QL_RUN_AS', EXIT.usage, {
    what: `there is no user "${name}"`,
    todo: ['getent passwd'],
  });
}

function unknownCaller(uid: string): QlaunchError {
  return new QlaunchError('QL_SUDO_USER', EXIT.refused, {
    what: `sudo was called by uid ${uid}, and there is no such user`,
    why: ['QEMU would have to run as that user; neither /etc/passwd nor `getent passwd` knows it'],
    todo: [
      `getent passwd ${uid}`,
      'sudo qlaunch … --run-as USER',
      'sudo env -u SUDO_UID qlaunch …   # for root itself',
    ],
  });
}

function notRoot(name: string): QlaunchError {
  return new QlaunchError('QL_RUN_AS', EXIT.refused, {
    what: `cannot run QEMU as "${name}"`,
    why: ['only root may start a process as another user'],
    todo: [`sudo qlaunch … --run-as ${name}`],
  });
}
