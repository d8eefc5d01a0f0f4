import { didYouMean } from '../did-you-mean.ts';
import { parsePath } from '../path.ts';
import { isProblem, type Problem, type RawValue } from '../raw.ts';
import type { SerialSpec } from '../vm-spec.ts';

export function parseSerial(value: RawValue, home: string): SerialSpec | Problem {
  const { text, at } = value;
  if (text === 'stdio' || text === 'socket' || text === 'none') return { kind: text };
  if (text.startsWith('file:')) {
    const path = parsePath({ ...value, text: text.slice('file:'.length) }, home);
    return isProblem(path) ? path : { kind: 'file', path };
  }
  const near = didYouMean(text, ['stdio', 'socket', 'none']);
  return { at, what: `"${text}" must be stdio, socket, file:PATH or none`, ...(near ? { hint: near } : {}) };
}
