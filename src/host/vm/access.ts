import { accessSync, constants } from 'node:fs';

/** Whether we may read and write it. */
export function mayUse(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
