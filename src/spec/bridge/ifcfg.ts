/**
 * ifcfg files of RHEL and its kin: assignments for sh(1), one per line (sysconfig.txt of initscripts). Quotes may be the
 * curly ones of a web page: sh would take them for letters, and so do the network scripts, but what is meant is clear.
 */

export interface Assignment {
  readonly key: string;
  readonly value: string;
  /** Its line, from 0. */
  readonly line: number;
  /** Written with curly quotes, which only we read. */
  readonly curly: boolean;
}

const LINE = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)$/;
const PAIRS: readonly RegExp[] = [/^"((?:[^"\\]|\\.)*)"/, /^'([^']*)'/];
const CURLY = /^[“”„‟]([^“”„‟]*)[“”„‟]|^[‘’‚‛]([^‘’‚‛]*)[‘’‚‛]/;

/** In the order of the file; of a key that comes again the last one counts. */
export function readIfcfg(text: string): readonly Assignment[] {
  return text.split('\n').flatMap((whole, line): readonly Assignment[] => {
    const [, key, rest = ''] = LINE.exec(whole.replace(/\r$/, '')) ?? [];
    if (key === undefined) return [];
    const curly = CURLY.exec(rest);
    if (curly !== null) return [{ key, value: curly[1] ?? curly[2] ?? '', line, curly: true }];
    const [double, single] = PAIRS.map((pair) => pair.exec(rest)?.[1]);
    const value = double?.replaceAll(/\\(["\\$`])/g, '$1') ?? single ?? plain(rest);
    return [{ key, value, line, curly: false }];
  });
}

const plain = (rest: string): string =>
  (/^(?:\\.|[^\s#;\\])*/.exec(rest)?.[0] ?? '').replaceAll(/\\(.)/g, '$1');

export const lastValue = (all: readonly Assignment[], key: string): string | undefined =>
  all.findLast((one) => one.key === key)?.value;

/** `KEY=value`, in quotes where sh needs them. */
export function ifcfgLine(key: string, value: string | number): string {
  const text = String(value);
  const quoted = /^[A-Za-z0-9_.:/%@+-]*$/.test(text) ? text : `"${text.replaceAll(/["\\$`]/g, '\\$&')}"`;
  return `${key}=${quoted}`;
}
