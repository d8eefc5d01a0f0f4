/** The VM's directory as a record: what ps, stop, console and logs know of a VM without asking it. */

import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmdirSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, isAbsolute, join, normalize } from 'node:path';
import { EXIT, QlaunchError } from '../../errors.ts';
import { shellWord } from '../../plan/shell.ts';
import { FILES } from '../../plan/vm/waiter.ts';
import { readIp } from '../../spec/ip.ts';
import { isProblem } from '../../spec/raw.ts';
import { parseVmName } from '../../spec/vm/name.ts';
import { asOwner } from './user.ts';

/** A FIFO must not block us; that it is none is seen when it is open. */
const PLAIN = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;
const PIECE_BYTES = 16 * 1024;

interface NicRecord {
  readonly id: string;
  readonly mode: string;
  readonly mac: string;
  readonly forwards: readonly { proto: string; address: string; hostPort: number; guestPort: number }[];
}

export interface VmRecord {
  readonly v: 1;
  readonly name: string;
  /** Canonical image or profile path (or the name) that owns this VM's name and MACs. */
  readonly identity: string;
  readonly uid: number;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly detached: boolean;
  readonly argv: readonly string[];
  /** Where the sockets are; the VM's directory unless its path was too long. */
  readonly socketDir: string;
  readonly serial: string;
  readonly nics: readonly NicRecord[];
  readonly disks: readonly string[];
  readonly vnc?: string;
}

/** Writes, syncs and renames: a reader, another writer or a crash meets the old file or the new one, never half. */
export function writeWhole(path: string, text: string, mode = 0o600): void {
  const fresh = `${path}.${process.pid}-${randomBytes(4).toString('hex')}.new`;
  const fd = openSync(fresh, 'wx', mode);
  try {
    writeFileSync(fd, text);
    fsyncSync(fd);
    renameSync(fresh, path);
  } catch (error) {
    rmSync(fresh, { force: true });
    throw error;
  } finally {
    closeSync(fd);
  }
}

export function writeRecord(dir: string, record: VmRecord): void {
  writeWhole(join(dir, FILES.record), `${JSON.stringify(record)}\n`);
}

/**
 * undefined: no VM there, or a record of another version or shape, which is left alone: the file is its user's to
 * write, and may say anything. Whose VM it is, the directory tells.
 */
export function readRecord(dir: string): VmRecord | undefined {
  const text = readText(join(dir, FILES.record));
  const uid = ownerOf(dir);
  if (text === undefined || uid === undefined) return undefined;
  let said: unknown;
  try {
    said = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isRecord(said) || said.name !== basename(dir)) return undefined;
  return isPlaceOf(said.socketDir, dir, uid) ? { ...said, uid } : undefined;
}

/** Root talks to the sockets there and clears it away: another user's directory cannot be this VM's. */
export function isPlaceOf(socketDir: string, dir: string, uid: number): boolean {
  if (socketDir === dir) return true;
  // A place under XDG_RUNTIME_DIR is gone after a logout.
  return basename(socketDir) === basename(dir) && (ownerOf(socketDir) ?? uid) === uid;
}

/** uid of the directory's owner; undefined when there is no directory (a symlink is none). */
export function ownerOf(dir: string): number | undefined {
  const stat = lstatSync(dir, { throwIfNoEntry: false });
  return stat?.isDirectory() ? stat.uid : undefined;
}

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === 'string';
/** For a column of a table: nothing that moves the cursor. */
const isWord: Check = (value) => typeof value === 'string' && !/[\p{Cc}\p{Cf}]/u.test(value);
/** These stand in lines that root is told to paste. */
export const isName: Check = (value) => typeof value === 'string' && !isProblem(parseVmName(value, ''));
const isAddress: Check = (value) => typeof value === 'string' && readIp(value) !== undefined;
const isProto: Check = (value) => value === 'tcp' || value === 'udp';
const isTime: Check = (value) => isWord(value) && !Number.isNaN(Date.parse(String(value)));
const isPort: Check = (value) => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 65_535;
const isPath: Check = (value) => typeof value === 'string' && isAbsolute(value) && normalize(value) === value;
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);

function shaped(fields: Readonly<Record<string, Check>>): Check {
  return (value) => {
    if (typeof value !== 'object' || value === null) return false;
    const object = value as Readonly<Record<string, unknown>>;
    return Object.entries(fields).every(([name, check]) => check(object[name]));
  };
}

const RECORD = {
  v: (value) => value === 1,
  name: isName,
  identity: isText,
  uid: Number.isInteger,
  startedAt: isTime,
  detached: (value) => typeof value === 'boolean',
  argv: listOf(isText),
  socketDir: isPath,
  serial: isWord,
  nics: listOf(
    shaped({
      id: isWord,
      mode: isWord,
      mac: isWord,
      forwards: listOf(shaped({ proto: isProto, address: isAddress, hostPort: isPort, guestPort: isPort })),
    }),
  ),
  disks: listOf(isText),
  vnc: (value) => value === undefined || isWord(value),
} satisfies Readonly<Record<keyof VmRecord, Check>>;

const hasShape = shaped(RECORD);
const isRecord = (value: unknown): value is VmRecord => hasShape(value);

const TEXT_BYTES = 1024 * 1024;
/** Enough for the last words of a QEMU that wrote much. */
const TAIL_BYTES = 16 * 1024;

/**
 * undefined when the file is not there, not for us to read, longer than 1 MiB or no file: the directory may be another
 * user's, and a symlink or a FIFO in it a trap.
 */
export function readText(path: string): string | undefined {
  return readPlain(path, (fd, bytes) => {
    // Files in /proc are 0 bytes long until they are read.
    return bytes > TEXT_BYTES ? undefined : readPiece(fd, 0, TEXT_BYTES);
  });
}

/** The end of a file that may be long; undefined as readText(). */
export function readTail(path: string): string | undefined {
  return readPlain(path, (fd, bytes) => readPiece(fd, Math.max(0, bytes - TAIL_BYTES), TAIL_BYTES));
}

function readPlain(
  path: string,
  read: (fd: number, bytes: number) => string | undefined,
): string | undefined {
  // Looking first is cheaper than an exception, and `ps` meets many files that are not there.
  if (!existsSync(path)) return undefined;
  let fd: number;
  try {
    fd = openSync(path, PLAIN);
  } catch {
    return undefined;
  }
  try {
    const stat = fstatSync(fd);
    return stat.isFile() ? read(fd, stat.size) : undefined;
  } catch {
    return undefined;
  } finally {
    closeSync(fd);
  }
}

/** Up to `most` bytes from `offset` on, and not more when the file grows meanwhile. */
function readPiece(fd: number, offset: number, most: number): string {
  const pieces: Buffer[] = [];
  for (let at = 0; at < most; ) {
    const piece = Buffer.allocUnsafe(Math.min(PIECE_BYTES, most - at));
    const bytes = readSync(fd, piece, 0, piece.length, offset + at);
    if (bytes === 0) break;
    pieces.push(piece.subarray(0, bytes));
    at += bytes;
  }
  return Buffer.concat(pieces).toString('utf8');
}

/** Names of the folders in `dir`; none when it is not there. */
export function listDirs(dir: string): readonly string[] {
  try {
    return readdirSync(dir, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
  } catch {
    return [];
  }
}

/** Removes the files of `dir` for which `which` says so; folders in it stay. */
export function removeFiles(dir: string, which: (name: string) => boolean): void {
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    if (!entry.isDirectory() && which(entry.name)) rmSync(join(dir, entry.name), { force: true });
  }
}

/**
 * A user's directory is emptied with its user's rights: somebody who swaps a folder in it for a symlink meanwhile
 * gains nothing. Only the empty one is removed as root, from a parent that is root's. Errors: QL_STATE_DIR.
 */
export function removeDir(dir: string): void {
  const owner = lstatSync(dir, { throwIfNoEntry: false });
  if (owner === undefined) return;
  try {
    if (owner.isDirectory())
      asOwner(owner, () => {
        for (const name of readdirSync(dir)) rmSync(join(dir, name), { recursive: true, force: true });
      });
    const above = lstatSync(dirname(dir));
    asOwner(above.uid === 0 ? above : owner, () => (owner.isDirectory() ? rmdirSync(dir) : unlinkSync(dir)));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return;
    throw new QlaunchError('QL_STATE_DIR', EXIT.host, {
      what: `could not remove ${dir}`,
      why: [message],
      todo: [`ls -la ${shellWord(dir)}`],
    });
  }
}
