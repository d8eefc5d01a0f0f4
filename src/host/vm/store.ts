/** The VM's directory as a record: what ps, stop, console and logs know of a VM without asking it. */
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { FILES } from '../../plan/vm/waiter.ts';

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

/** Writes, syncs and renames: a reader or a crash meets the old file or the new one, never half of it. */
export function writeWhole(path: string, text: string, mode = 0o600): void {
  const fd = openSync(`${path}.new`, 'w', mode);
  try {
    writeSync(fd, text);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(`${path}.new`, path);
}

export function writeRecord(dir: string, record: VmRecord): void {
  writeWhole(join(dir, FILES.record), `${JSON.stringify(record)}\n`);
}

/** undefined: no VM there, or a record of another version, which is left alone. */
export function readRecord(dir: string): VmRecord | undefined {
  const text = readText(join(dir, FILES.record));
  if (text === undefined) return undefined;
  try {
    const record = JSON.parse(text) as Partial<VmRecord>;
    return record.v === 1 && typeof record.name === 'string' ? (record as VmRecord) : undefined;
  } catch {
    return undefined;
  }
}

/** undefined when the file is not there or not for us to read. */
export function readText(path: string): string | undefined {
  // Looking first is cheaper than an exception, and `ps` meets many files that are not there.
  if (!existsSync(path)) return undefined;
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
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

export function removeDir(dir: string): void {
  rmSync(dir, { recursive: true, force: true });
}
