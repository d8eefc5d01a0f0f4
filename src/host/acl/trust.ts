/** Whether another user could put something else in a path's place while we work on it. */
import { lstatSync, readlinkSync, type Stats } from 'node:fs';
import { join, resolve } from 'node:path';

export interface Untrusted {
  readonly culprit: string;
  readonly why: string;
}

/** As many symbolic links as the kernel follows (MAXSYMLINKS in linux/include/linux/namei.h). */
const MAX_LINKS = 40;

/**
 * Every directory on the way, also that of each symbolic link, must be root's or ours and not for others to write; in
 * one with the sticky bit (/tmp) the entry itself must be root's or ours. undefined when all is well, or when the
 * rest of the path does not exist yet.
 */
export function untrusted(path: string): Untrusted | undefined {
  const rest = resolve(path).split('/').filter(Boolean);
  let at = '/';
  let links = 0;
  for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
    const parent = lstat(at);
    if (parent === undefined) return undefined;
    const entry = lstat(join(at, name));
    const why = whyNot(parent, entry);
    if (why !== undefined) return { culprit: why.entry === true ? join(at, name) : at, why: why.why };
    if (entry?.isSymbolicLink() !== true) {
      at = join(at, name);
      continue;
    }
    links += 1;
    if (links > MAX_LINKS) return { culprit: join(at, name), why: 'its symbolic links lead in a circle' };
    const target = readlinkSync(join(at, name));
    rest.unshift(...target.split('/').filter((part) => part !== '' && part !== '.'));
    if (target.startsWith('/')) at = '/';
  }
  return undefined;
}

function lstat(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

const isOurs = (uid: number): boolean => uid === 0 || uid === process.geteuid?.();

function whyNot(parent: Stats, entry: Stats | undefined): { why: string; entry?: true } | undefined {
  if (!isOurs(parent.uid)) return { why: `it belongs to uid ${parent.uid}` };
  const byOthers = (parent.mode & 0o002) !== 0 || ((parent.mode & 0o020) !== 0 && parent.gid !== 0);
  if (!byOthers) return undefined;
  if ((parent.mode & 0o1000) === 0) return { why: 'others may write in it' };
  return entry !== undefined && !isOurs(entry.uid)
    ? { why: `it belongs to uid ${entry.uid}`, entry: true }
    : undefined;
}
