/** What tells a directory that a start left behind from one that is in use. */
import { lstatSync, readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { FILES } from '../../plan/vm/waiter.ts';
import { listDirs, ownerOf, readText } from './store.ts';
import { asOwner } from './user.ts';

/** Since something was made or removed in it, in ms; undefined when it is no directory. */
export function quietMs(dir: string): number | undefined {
  const stat = lstatSync(dir, { throwIfNoEntry: false });
  return stat?.isDirectory() ? Date.now() - stat.mtimeMs : undefined;
}

/** Also one that we cannot read: it may be a later version's. */
export function hasRecord(dir: string): boolean {
  return lstatSync(join(dir, FILES.record), { throwIfNoEntry: false }) !== undefined;
}

/** The folders of `root`; none when it is not that user's own: in /tmp anybody may have made it. */
export function ownDirs(root: string, uid: number): readonly string[] {
  return ownerOf(root) === uid ? listDirs(root).map((name) => join(root, name)) : [];
}

/** Whether a process has a path below `dir` among its arguments, as every QEMU has those of its sockets. */
export function isNamedByProcess(dir: string): boolean {
  const inside = [`${dir}/`, `${dir.replaceAll(',', ',,')}/`];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && name !== `${process.pid}`)
    .some((pid) => {
      const words = readText(`/proc/${pid}/cmdline`) ?? '';
      return inside.some((text) => words.includes(text));
    });
}

/**
 * Whether a process has one of its sockets open: also one of another pid namespace (a container that shares /tmp),
 * whom we do not see. A socket whose process is gone refuses (unix(7), ECONNREFUSED).
 */
export async function isAnswered(dir: string): Promise<boolean> {
  const owner = lstatSync(dir);
  const paths = asOwner(owner, () => readdirSync(dir)).map((name) => join(dir, name));
  for (const path of paths) {
    if (lstatSync(path, { throwIfNoEntry: false })?.isSocket() !== true) continue;
    if (await answers(path, owner)) return true;
  }
  return false;
}

/** With the rights of whose it is: its directory may be full of traps for root. */
function answers(path: string, owner: { readonly uid: number; readonly gid: number }): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = asOwner(owner, () => connect(path));
    const end = (answered: boolean): void => {
      socket.destroy();
      resolve(answered);
    };
    socket.once('connect', () => end(true));
    socket.once('error', ({ code }: NodeJS.ErrnoException) =>
      end(code !== 'ECONNREFUSED' && code !== 'ENOENT'),
    );
  });
}
