/** An answer that was kept in a file, valid for one key. A damaged or unwritable file only costs asking again. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { makeFolders } from '../linux-files.ts';

export function keptJson<T>(file: string, key: string): T | undefined {
  try {
    const kept = JSON.parse(readFileSync(file, 'utf8'));
    return kept.key === key ? (kept.value as T) : undefined;
  } catch {
    return undefined;
  }
}

export function keepJson(file: string, key: string, value: unknown): void {
  try {
    makeFolders(dirname(file), 0o755);
    const fresh = `${file}.${process.pid}`;
    writeFileSync(fresh, JSON.stringify({ key, value }));
    renameSync(fresh, file);
  } catch {
    // A read-only home: nothing is lost but time.
  }
}
