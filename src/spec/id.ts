import type { Problem } from './raw.ts';

/** Longest id we take; it goes into socket paths (107 bytes) and NVMe serials (20). */
const MAX_LENGTH = 20;

/** QEMU's identifiers: id_wellformed() in qemu/util/id.c. */
export function parseId(text: string, at: string): string | Problem {
  if (text.length > MAX_LENGTH) return { at, what: `id "${text}" is longer than ${MAX_LENGTH} characters` };
  if (/^[A-Za-z][A-Za-z0-9._-]*$/.test(text)) return text;
  return { at, what: `id "${text}" must be letters, digits, "-", "." and "_", beginning with a letter` };
}
