/**
 * Lines that prove they are whole: each begins with a hash over the one before and itself, the last one says
 * how many there are. A cut, a swap or one flipped bit is found before anything of it is believed.
 */
import { createHash } from 'node:crypto';

const HASH_LENGTH = 16;

const hashOf = (before: string, json: string): string =>
  createHash('sha256').update(`${before}\n${json}`).digest('hex').slice(0, HASH_LENGTH);

export function seal(records: readonly unknown[]): string {
  const lines = [...records, { end: records.length }].map((record) => JSON.stringify(record));
  let before = '';
  let text = '';
  for (const json of lines) {
    before = hashOf(before, json);
    text += `${before} ${json}\n`;
  }
  return text;
}

export interface Unsealed {
  /** Those that are as they were written, in order. */
  readonly records: readonly unknown[];
  /** What is wrong with the whole; undefined: nothing. */
  readonly damage?: string;
}

export function unseal(text: string): Unsealed {
  const lines = text.split('\n');
  const closed = lines.pop() === '';
  const records: unknown[] = [];
  let broken = 0;
  let before = '';
  for (const line of lines) {
    const [hash, json] = [line.slice(0, HASH_LENGTH), line.slice(HASH_LENGTH + 1)];
    const whole = line[HASH_LENGTH] === ' ' && hash === hashOf(before, json);
    const record = whole ? parseJson(json) : undefined;
    if (record === undefined) broken += 1;
    else records.push(record);
    before = hash;
  }
  if (broken > 0) return { records, damage: `${broken} of ${lines.length} lines are damaged` };
  const last = records.pop();
  const whole = closed && isEnd(last) && last.end === records.length;
  if (whole) return { records };
  return {
    records: last === undefined || isEnd(last) ? records : [...records, last],
    damage: 'its end is missing',
  };
}

const isEnd = (record: unknown): record is { end: number } =>
  typeof record === 'object' && record !== null && 'end' in record;

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json) as unknown;
  } catch {
    return undefined;
  }
}
