import { isAbsolute, join } from 'node:path';
import type { Problem, RawValue } from './raw.ts';

/** An absolute, normalised path. `~/` is the user's home; a relative path starts where it was written. */
export function parsePath({ text, at, dir }: RawValue, home: string): string | Problem {
  if (text === '') return { at, what: 'is empty; give the path of a file' };
  if (text.includes('\0')) return { at, what: 'a path can not contain a NUL byte' };
  if (text === '~' || text.startsWith('~/')) return join(home, text.slice(1));
  return isAbsolute(text) ? join(text) : join(dir, text);
}
