/** One installed qemu-bridge-helper: what it is, and which bridge.conf it reads. */
import { accessSync, constants, readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { aclPathOf, type HelperStrings, helperStrings, USUAL_ACL } from '../../spec/acl/helper-path.ts';
import type { Host } from '../port.ts';
import { exists, helperPlaces } from '../qemu/helper.ts';
import { untrusted } from './trust.ts';

export interface BridgeHelper {
  /** As it was named. */
  readonly path: string;
  readonly real: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly strings: HelperStrings;
  /** Computed; confirmAclPath() asks the helper itself. */
  readonly acl: string;
}

/** The path that is asked for, else the first place where there is one. */
export function chosenHelper(wish: {
  readonly helper?: string;
  readonly builtIn?: string;
}): string | undefined {
  return wish.helper ?? helperPlaces(wish.builtIn).find(exists);
}

/** undefined when there is none at this path. A binary that we may not read is taken to be a usual one. */
export function inspectHelper(path: string): BridgeHelper | undefined {
  const real = realPathOf(path);
  if (real === undefined) return undefined;
  const { mode, uid, gid } = statSync(real);
  const strings = readStrings(real);
  // ".." may be resolved by name: the helper's real path has no symbolic links.
  const acl = resolve(aclPathOf(real, strings, mayRead(join(dirname(real), 'qemu-bundle'))));
  return { path, real, mode: mode & 0o7777, uid, gid, strings, acl };
}

/** Nobody but root can have put it there, or can change it. */
export function isRootsOwn({ real, uid, gid, mode }: BridgeHelper): boolean {
  const byOthers = (mode & 0o002) !== 0 || ((mode & 0o020) !== 0 && gid !== 0);
  return uid === 0 && !byOthers && untrusted(real) === undefined;
}

/**
 * Whether we may make it setuid root, or tell a person to: a distribution's own, as root put it there. A path that
 * only a profile names (`helper=`, or the QEMU of `qemu=`) could be any program.
 */
export function mayGetRights(helper: BridgeHelper): boolean {
  return isRootsOwn(helper) && helperPlaces().some((place) => realPathOf(place) === helper.real);
}

function realPathOf(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

function readStrings(path: string): HelperStrings {
  try {
    return helperStrings(readFileSync(path, 'latin1'));
  } catch {
    return { acl: USUAL_ACL, knowsBundle: true, dropsPrivileges: true };
  }
}

function mayRead(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

/** Nobody calls a bridge so; where it is allowed all the same, a private network namespace has none. */
const PROBE = 'qlaunch-probe-x';

const SCRIPT = `if [ -d "$1" ]; then mount -t tmpfs -o mode=755 tmpfs "$1" || exit 99; fi
exec "$2" --br=${PROBE} --fd=0`;

/**
 * The path that the helper itself names when it finds no file there: in a mount namespace of its own its directory is
 * empty. undefined when it can not be asked: we are not root, may not make namespaces, or somebody else could have
 * put another program in the helper's place.
 */
export async function confirmAclPath(
  host: Pick<Host, 'run'>,
  helper: BridgeHelper,
): Promise<string | undefined> {
  if (process.geteuid?.() !== 0 || untrusted(helper.real) !== undefined) return undefined;
  const namespaces = ['unshare', '--mount', '--net', '--propagation', 'private'] as const;
  const words = ['sh', '-c', SCRIPT, 'sh', dirname(helper.acl), helper.real] as const;
  const { stderr } = await host.run([...namespaces, ...words], { timeoutMs: 10_000 });
  return /failed to parse default acl file `(.*)'/.exec(stderr)?.[1];
}
