/** The format that a disk had at its first use: one small file per image in the state directory. */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DiskFormat } from '../../../spec/vm-spec.ts';

interface Record {
  readonly path: string;
  readonly inode: number;
  readonly format: DiskFormat;
}

const fileOf = (stateDir: string, path: string): string =>
  join(stateDir, 'disks', `${createHash('sha256').update(path).digest('hex').slice(0, 32)}.json`);

/**
 * undefined when this image was never used: another inode under the same path is another image.
 * @param path canonical
 */
export function recordedFormat(stateDir: string, path: string, inode: number): DiskFormat | undefined {
  let text: string;
  try {
    text = readFileSync(fileOf(stateDir, path), 'utf8');
  } catch {
    return undefined;
  }
  try {
    const record: Record = JSON.parse(text);
    return record.path === path && record.inode === inode ? record.format : undefined;
  } catch {
    // Cut off by a full disk: the next use records it anew.
    return undefined;
  }
}

/** Errors as they are (EACCES, ENOSPC): without the record the next start would have to probe again. */
export function recordFormat(stateDir: string, path: string, inode: number, format: DiskFormat): void {
  const file = fileOf(stateDir, path);
  mkdirSync(join(stateDir, 'disks'), { recursive: true, mode: 0o700 });
  const fresh = `${file}.${process.pid}`;
  writeFileSync(fresh, JSON.stringify({ path, inode, format } satisfies Record), { mode: 0o600 });
  renameSync(fresh, file);
}
