import { realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** The real path of a file that need not exist yet: the links of its directory resolved, else as given. */
export function canonicalTarget(path: string): string {
  for (const [known, rest] of [
    [path, ''],
    [dirname(path), basename(path)],
  ] as const) {
    try {
      return join(realpathSync(known), rest);
    } catch {
      // Not there (yet): the directory may be.
    }
  }
  return path;
}
