import type { Problem } from './raw.ts';

/** Any text that can be an argument of a program. */
export function parseText(text: string, at: string): string | Problem {
  if (text === '') return { at, what: 'is empty' };
  return text.includes('\0') ? { at, what: 'can not contain a NUL byte' } : text;
}
