/** Whether we could put a new file in a place. */
import { accessSync, constants, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** Of a directory that does not exist, the nearest one above it counts. */
export function mayReplace(path: string): boolean {
  for (let dir = dirname(path); ; dir = dirname(dir)) {
    if (dir !== '/' && statSync(dir, { throwIfNoEntry: false }) === undefined) continue;
    try {
      accessSync(dir, constants.W_OK);
      return true;
    } catch {
      return false;
    }
  }
}
