/** bridge.conf as the helper would get it: opened with the rights of whoever calls the helper. */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type AclRules, type AclSource, readRules } from '../../spec/acl/rules.ts';
import { asUser, type Identity } from '../vm/user.ts';

/** A list of bridges is never this long; a file that is would keep us busy for nothing. */
const MAX_BYTES = 16 * 1024 * 1024;

export const NO_FILE = 'there is no such file';
const WHY: Readonly<Record<string, string>> = {
  ENOENT: NO_FILE,
  ENOTDIR: NO_FILE,
  EACCES: 'it may not be read',
  ELOOP: 'its symbolic links lead in a circle',
};

/** With our own rights. A directory reads as empty, as in the helper: fgets(3) gets nothing from one. */
export function readAclFile(path: string, cwd: string = process.cwd()): AclSource {
  if (path === '') return { why: 'its name is empty' };
  let fd: number;
  try {
    // Opening a FIFO waits for a writer.
    fd = openSync(resolve(cwd, path), constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    return { why: WHY[code] ?? message };
  }
  try {
    const stat = fstatSync(fd);
    if (stat.isDirectory()) return { text: '' };
    if (!stat.isFile()) return { why: 'it is not a file: the helper may wait on it for ever' };
    if (stat.size > MAX_BYTES) return { why: `it is larger than ${MAX_BYTES} bytes` };
    return { text: readFileSync(fd, 'latin1') };
  } finally {
    closeSync(fd);
  }
}

/** As `who.user`, who needs to be root or ourselves. `cwd`: where a relative include starts. */
export function readAcl(file: string, who: Identity, cwd?: string): AclRules {
  return asUser(who, () => readRules(file, (path) => readAclFile(path, cwd)));
}
