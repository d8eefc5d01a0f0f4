/** From the text of one key to one field of a NIC. */
import { readIp } from '../ip.ts';
import { parseWhole } from '../number.ts';
import { parsePath } from '../path.ts';
import type { PropReader } from '../props.ts';
import type { Gathering, Problem, RawProp } from '../raw.ts';

/** A NIC while its keys are read. */
export type Draft<T> = { -readonly [K in keyof T]?: T[K] };

export class Fields<T> {
  readonly draft: Draft<T> = {};
  readonly gathering: Gathering;
  readonly home: string;

  constructor(gathering: Gathering, home: string) {
    this.gathering = gathering;
    this.home = home;
  }

  set<K extends keyof T>(key: K, parse: (text: string, at: string) => T[K] | Problem): PropReader {
    return this.setFrom(key, ({ text, at }) => parse(text, at));
  }

  setFrom<K extends keyof T>(key: K, parse: (prop: RawProp) => T[K] | Problem): PropReader {
    return {
      read: (prop) => {
        const value = this.gathering.take(parse(prop));
        if (value !== undefined) this.draft[key] = value;
      },
    };
  }

  path<K extends keyof T>(key: T[K] extends string | undefined ? K : never): PropReader {
    return this.setFrom(key, (prop) => parsePath(prop, this.home) as T[K] | Problem);
  }

  /** A repeatable key: every value is added to `list`. */
  add<V>(list: V[], parse: (text: string, at: string) => V | Problem): PropReader {
    return {
      repeatable: true,
      read: ({ text, at }) => {
        const value = this.gathering.take(parse(text, at));
        if (value !== undefined) list.push(value);
      },
    };
  }
}

export const whole =
  (from: number, to: number) =>
  (text: string, at: string): number | Problem =>
    parseWhole(text, at, from, to);

/** A host or domain name as DHCP hands it out. */
export function parseDomain(text: string, at: string): string | Problem {
  return /^[A-Za-z0-9_]([A-Za-z0-9_.-]{0,253})$/.test(text)
    ? text
    : { at, what: `"${text}" is not a host or domain name` };
}

/** QEMU's `net=`, with a prefix: slirp takes 4 to 32. */
export function parseUserNetwork(text: string, at: string): string | Problem {
  const [address = '', prefix, ...rest] = text.split('/');
  const ok = readIp(address)?.family === 4 && rest.length === 0;
  const length = /^[0-9]{1,2}$/.test(prefix ?? '') ? Number(prefix) : -1;
  if (!ok || prefix === undefined)
    return { at, what: `"${text}" is not an IPv4 network`, hint: 'write 10.0.2.0/24' };
  if (length < 4 || length > 32) return { at, what: `"${text}" must have a prefix from 4 to 32` };
  return text;
}
