import type { Problem } from '../raw.ts';

/** Longest VM name, in bytes: it is a directory, and part of a socket's path (107 bytes). */
const MAX_LENGTH = 63;

/** A plain user's VMs lie beside these directories of ours. */
const RESERVED: readonly string[] = ['lock', 'journal', 'shared', 'confirm', 'undo'];

export const isReservedName = (name: string): boolean => RESERVED.includes(name);

export function parseVmName(text: string, at: string): string | Problem {
  if (text.length > MAX_LENGTH) return { at, what: `"${text}" is longer than ${MAX_LENGTH} characters` };
  if (isReservedName(text))
    return { at, what: `"${text}" is a name that qlaunch uses itself`, hint: `write ${text}-vm` };
  if (/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(text)) return text;
  const hint = vmNameFrom(text);
  const what = `"${text}" must be letters, digits, "-", "." and "_", beginning with a letter or digit`;
  return { at, what, ...(hint === undefined ? {} : { hint: `write ${hint}` }) };
}

/** A name from the path of an image or profile: its base name without the ending, other characters as "-". */
export function vmNameFrom(path: string): string | undefined {
  const base = path
    .slice(path.lastIndexOf('/') + 1)
    .replace(/\.(ini|qcow2?|raw|img|vmdk|vdi|vhdx?|vpc|iso)$/i, '');
  const name = base
    .replaceAll(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .replace(/-+$/, '');
  if (isReservedName(name)) return `${name}-vm`;
  return name === '' ? undefined : name.slice(0, MAX_LENGTH);
}
