/** How a new image names its backing file. */
import { relative } from 'node:path';

/**
 * Relative to the image where the file is beside or below it, so that both can be moved together; else absolute.
 * Both paths are canonical.
 */
export function backingName(backing: string, imageDirectory: string): string {
  const name = relative(imageDirectory, backing);
  if (name === '' || name.startsWith('..')) return backing;
  // QEMU reads "a:b" as protocol a.
  return /^[^/]*:/.test(name) ? `./${name}` : name;
}
