/**
 * Files that an image refers to. An image from elsewhere may name /etc/shadow as its backing file, and the guest
 * would read it; so only files beside the image are followed, others must be allowed by name.
 */
import { isAbsolute, resolve } from 'node:path';

/** How QEMU reads a name inside an image. */
export type Reference =
  | { readonly kind: 'file'; readonly path: string }
  /** `json:…`, `nbd://…`, `https:…`: opened by a driver, not by the file system. */
  | { readonly kind: 'driver'; readonly text: string };

/** @param directory of the image that holds the name (QEMU resolves relative to it) */
export function readReference(name: string, directory: string): Reference {
  // block.c, path_has_protocol(): a colon before the first slash.
  const driver = /^[^/:]*:/.test(name) && !name.startsWith('file:');
  if (driver) return { kind: 'driver', text: name };
  const file = name.startsWith('file:') ? name.slice('file:'.length) : name;
  return { kind: 'file', path: isAbsolute(file) ? file : resolve(directory, file) };
}

/**
 * Below the image's own directory, and nothing hidden: an image in the home directory must not reach ~/.ssh.
 * @param canonical the target with all links resolved
 * @param directory of the image, canonical too
 * @param allowed what the user named: canonical paths, or a driver's text
 */
export function mayFollow(canonical: string, directory: string, allowed: readonly string[]): boolean {
  if (allowed.includes(canonical)) return true;
  const root = directory.endsWith('/') ? directory : `${directory}/`;
  if (!canonical.startsWith(root)) return false;
  const below = canonical.slice(root.length).split('/');
  // An image in the root directory would have the whole machine beside it.
  return below.every((name) => !name.startsWith('.')) && (root !== '/' || below.length === 1);
}
