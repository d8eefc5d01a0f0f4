/** bridge.conf as the helper would get it: opened with the rights of whoever calls the helper. */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { toAclBytes } from '../../spec/acl/names.ts';
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

/** With our own rights. */
export function readAclFile(path: string, cwd: string = process.cwd()): AclSource {
  return readBytes(toAclBytes(path), toAclBytes(cwd));
}

/**
 * Names in a list are bytes, latin1 here. A directory reads as empty, as in the helper: fgets(3) gets nothing from
 * one.
 */
function readBytes(path: string, cwd: string): AclSource {
  if (path === '') return { why: 'its name is empty' };
  let fd: number;
  try {
    // Opening a FIFO waits for a writer.
    const name = Buffer.from(resolve(cwd, path), 'latin1');
    fd = openSync(name, constants.O_RDONLY | constants.O_NONBLOCK);
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

export interface ReadAs {
  /** Who needs to be root or ourselves; ourselves unless given. */
  readonly user?: Identity;
  /** Where a relative include starts; ours unless given. */
  readonly cwd?: string;
  /** latin1: what the file itself would hold; its own content unless given. */
  readonly text?: string;
}

export function readAcl(file: string, { user, cwd = process.cwd(), text }: ReadAs = {}): AclRules {
  const [top, where] = [toAclBytes(file), toAclBytes(cwd)];
  const read = (path: string): AclSource =>
    path === top && text !== undefined ? { text } : readBytes(path, where);
  const gather = (): AclRules => readRules(top, read);
  return user === undefined ? gather() : asUser(user, gather);
}
