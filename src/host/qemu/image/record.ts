/** What is known of an image from its first use or from its making: one small file per image in the state directory. */
import { createHash } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DiskFormat } from '../../../spec/vm-spec.ts';
import { makeFolders } from '../../linux-files.ts';

export interface DiskRecord {
  readonly path: string;
  readonly inode: number;
  readonly format: DiskFormat;
  /** Files outside its directory that it may refer to: named by the user who made it. */
  readonly allow: readonly string[];
}

const fileOf = (stateDir: string, path: string): string =>
  join(stateDir, 'disks', `${createHash('sha256').update(path).digest('hex').slice(0, 32)}.json`);

/**
 * undefined when this image was never used: another inode under the same path is another image.
 * @param path canonical
 */
export function recordOf(stateDir: string, path: string, inode: number): DiskRecord | undefined {
  try {
    const record: DiskRecord = JSON.parse(readFileSync(fileOf(stateDir, path), 'utf8'));
    return record.path === path && record.inode === inode ? record : undefined;
  } catch {
    // Not there, or cut off by a full disk: the next use records it anew.
    return undefined;
  }
}

/**
 * Errors as they are (EACCES, ENOSPC): without the record the next start would have to probe again.
 * @param allow added to what was allowed before
 */
export function recordFormat(
  stateDir: string,
  path: string,
  inode: number,
  format: DiskFormat,
  allow: readonly string[] = [],
): void {
  const before = recordOf(stateDir, path, inode)?.allow ?? [];
  const file = fileOf(stateDir, path);
  makeFolders(join(stateDir, 'disks'), 0o700);
  const fresh = `${file}.${process.pid}`;
  const record: DiskRecord = { path, inode, format, allow: [...new Set([...before, ...allow])] };
  writeFileSync(fresh, JSON.stringify(record), { mode: 0o600 });
  renameSync(fresh, file);
}
