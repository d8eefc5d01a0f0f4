/** File systems without room. */
import { statfsSync } from 'node:fs';

/** The first of `paths` (or of what is above it, while it is not there) on whose file system nobody may write a block. */
export function fullPath(paths: readonly string[]): string | undefined {
  return paths.find((path) => {
    try {
      return statfsSync(path).bavail === 0;
    } catch {
      return false;
    }
  });
}
