/** What may be written into bridge.conf. The file is bytes (latin1 here), what people type is UTF-8. */
import { parseIfName } from '../ifname.ts';
import { isProblem, type Problem } from '../raw.ts';
import { ALL } from './decide.ts';

export const toAclBytes = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');
export const fromAclBytes = (latin1: string): string => Buffer.from(latin1, 'latin1').toString('utf8');

/** For people: every text of a plain object as UTF-8. */
export function shown<T>(value: T): T {
  if (typeof value === 'string') return fromAclBytes(value) as T;
  if (Array.isArray(value)) return value.map(shown) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, shown(one)])) as T;
}

/** An interface's name, or "all". */
export function parseAclBridge(text: string): string | Problem {
  if (text === ALL) return text;
  const name = parseIfName(text, 'BRIDGE');
  return isProblem(name) ? name : toAclBytes(name);
}

/** The helper's buffer takes 4095 bytes, "include " and the line end among them. */
const PATH_BYTES = 4000;

/** @param path absolute */
export function parseAclInclude(path: string): string | Problem {
  const at = 'FILE';
  if (/[\n\0]/.test(path)) return { at, what: 'a line end or NUL byte can not stand in bridge.conf' };
  if (/^\s|\s$/.test(path)) return { at, what: 'the helper cuts white space off at both ends of a name' };
  if (Buffer.byteLength(path) > PATH_BYTES) return { at, what: `is longer than ${PATH_BYTES} bytes` };
  return toAclBytes(path);
}
