/** Ordinary files of the real machine. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  accessSync,
  type BigIntStats,
  chmodSync,
  chownSync,
  closeSync,
  constants,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import type { FileContent } from '../plan/step.ts';
import type { FileBefore } from '../plan/undo.ts';
import { COPY_ATTRIBUTES } from '../plan/words.ts';
import type { FileStat, Files } from './port.ts';

const isAbsent = (error: unknown): boolean =>
  ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '');

/** undefined instead of "no such file". */
function ifThere<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

function wasThere(remove: () => void): boolean {
  const there = ifThere(() => {
    remove();
    return true;
  });
  return there === true;
}

function kindOf(stat: BigIntStats): FileStat['kind'] {
  if (stat.isSymbolicLink()) return 'link';
  if (stat.isDirectory()) return 'directory';
  return stat.isFile() ? 'file' : 'other';
}

export const linuxFiles: Files = {
  async stat(path) {
    const stat = ifThere(() => lstatSync(path, { bigint: true }));
    return stat && { kind: kindOf(stat), inode: `${stat.dev}:${stat.ino}` };
  },
  list: async (path) => ifThere(() => readdirSync(path).sort()),
  capture: async (path) => ifThere(() => capture(path)),
  sha256: async (path) => ifThere(() => (lstatSync(path).isFile() ? sha256(readFileSync(path)) : undefined)),
  async place(path, temp, file) {
    if ('linkTo' in file) {
      ifThere(() => unlinkSync(temp));
      symlinkSync(file.linkTo, temp);
      renameSync(temp, path);
      return syncDirectory(dirname(path));
    }
    placeContent(path, temp, file, file.mtimeMs);
  },
  placeNew: async (path, temp, file) => placeContent(path, temp, file),
  unlink: async (path) => wasThere(() => unlinkSync(path)),
  async mkdir(path, mode, owner) {
    mkdirSync(path, { mode: 0o700 });
    if (owner !== undefined) chownSync(path, owner.uid, owner.gid);
    // After chown, which clears the set-id bits; and whatever the umask is.
    chmodSync(path, mode);
    syncDirectory(dirname(path));
  },
  rmdir: async (path) => wasThere(() => rmdirSync(path)),
  async rename(from, to) {
    renameSync(from, to);
    syncDirectory(dirname(to));
  },
  which: async (program) => which(program),
};

/**
 * `dir` and what is missing above it. One by one: where no folder can be made (/proc), Node 20's own recursive mkdir
 * takes ENOENT for a missing parent and tries for ever.
 */
export function makeFolders(dir: string, mode: number): void {
  if (statSync(dir, { throwIfNoEntry: false })?.isDirectory()) return;
  if (dirname(dir) !== dir) makeFolders(dirname(dir), mode);
  try {
    mkdirSync(dir, { mode });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

function capture(path: string): FileBefore {
  const stat = lstatSync(path);
  if (stat.isSymbolicLink()) return { linkTo: readlinkSync(path) };
  if (!stat.isFile())
    throw Object.assign(new Error(`${path} is not a regular file`), { code: 'EINVAL', path });
  const bytes = readFileSync(path);
  const text = bytes.toString('utf8');
  const isText = Buffer.from(text, 'utf8').equals(bytes);
  return {
    content: isText ? text : bytes.toString('base64'),
    ...(isText ? {} : { base64: true as const }),
    mode: stat.mode & 0o7777,
    owner: { uid: stat.uid, gid: stat.gid },
    mtimeMs: Math.floor(stat.mtimeMs),
  };
}

function placeContent(
  path: string,
  temp: string,
  { content: text, base64, mode, owner, keep }: FileContent,
  mtimeMs?: number,
): void {
  const content = Buffer.from(text, base64 === true ? 'base64' : 'utf8');
  ifThere(() => unlinkSync(temp));
  const fd = openSync(temp, 'wx', 0o600);
  try {
    for (let at = 0; at < content.length; ) at += writeSync(fd, content, at);
    if (keep === true) copyAttributes(path, temp);
    if (owner !== undefined) chownSync(temp, owner.uid, owner.gid);
    chmodSync(temp, mode);
    if (mtimeMs !== undefined) {
      // Node takes seconds as a double and cuts it off: without half a microsecond more, some end a millisecond early.
      const seconds = (mtimeMs + 0.0005) / 1000;
      utimesSync(temp, seconds, seconds);
    }
    fsyncSync(fd);
  } catch (error) {
    ifThere(() => unlinkSync(temp));
    throw error;
  } finally {
    closeSync(fd);
  }
  renameSync(temp, path);
  syncDirectory(dirname(path));
}

/**
 * Node knows no extended attributes. cp(1) from coreutils copies them all, the access list and the SELinux label
 * too; what it could not copy it says, and ends with 0 all the same.
 */
function copyAttributes(from: string, to: string): void {
  if (lstatSync(from, { throwIfNoEntry: false })?.isFile() !== true) return;
  const { status, stderr, error } = spawnSync('cp', [...COPY_ATTRIBUTES, '--', from, to], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
  });
  const said = error?.message ?? (status === 0 ? stderr : stderr || `cp ended with ${status}`);
  if (said !== '')
    throw Object.assign(new Error(`the attributes of ${from} can not be kept: ${said.trim()}`), {
      code: 'EIO',
    });
  // Its times came along.
  const now = new Date();
  utimesSync(to, now, now);
}

/** A rename is on the disk when its directory is. */
export function syncDirectory(path: string): void {
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

const sha256 = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex');

/** Where the tools of administrators are; a user's PATH often lacks sbin. */
const SBIN = ['/usr/sbin', '/usr/bin', '/sbin', '/bin'];

export function which(program: string): string | undefined {
  if (isAbsolute(program)) return isProgram(program) ? program : undefined;
  const folders = [...(process.env['PATH'] ?? '').split(':').filter(isAbsolute), ...SBIN];
  return folders.map((folder) => join(folder, program)).find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
