import { unsafe } from 'ini';
import type { Problem } from '../raw.ts';

/**
 * The text of one value. Without quotes it is what stands there, so that /a;b#c stays /a;b#c and null stays null;
 * `"…"` is decoded by `ini` (JSON escapes), `'…'` is taken literally.
 */
export function decodeValue(raw: string, at: string): string | Problem {
  if (raw.startsWith('"')) return decodeQuoted(raw, at);
  if (raw.startsWith("'")) {
    if (raw.length > 1 && raw.indexOf("'", 1) === raw.length - 1) return raw.slice(1, -1);
    return {
      at,
      what: 'the quotes do not end where the value ends',
      hint: 'put the comment on a line of its own',
    };
  }
  // Other programs end the value here, and so does ini. A guess in either direction would be wrong for somebody.
  if (/\s[;#]/.test(raw))
    return {
      at,
      what: 'is what follows the blank a comment?',
      hint: 'put the comment on a line of its own, or the value in "double quotes"',
    };
  return raw;
}

function decodeQuoted(raw: string, at: string): string | Problem {
  // Not `parse`, which makes null of "null" even in quotes. What is no JSON comes back as it is, cut at ; or #.
  const decoded: unknown = unsafe(raw);
  if (typeof decoded === 'string' && isJson(raw)) return decoded;
  return {
    at,
    what: `${raw} is not a text in double quotes`,
    hint: 'inside, write \\" for " and \\\\ for \\',
  };
}

function isJson(text: string): boolean {
  try {
    return typeof JSON.parse(text) === 'string';
  } catch {
    return false;
  }
}
