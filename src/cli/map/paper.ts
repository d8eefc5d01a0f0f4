/** How wide the map may be, what it may be drawn with, and its colours. */
import { ASCII, BOXES } from '../../plan/map/glyphs.ts';
import type { Line, Tone } from '../../plan/map/row.ts';
import type { Paper } from '../../plan/map/text.ts';
import { type Tint, tint } from '../terminal.ts';

/** Where nobody says how wide it is, it is a file or a pipe. */
const PLAIN_COLUMNS = 80;

export function paper(): Paper {
  const columns = process.stdout.columns || Number(process.env['COLUMNS']) || PLAIN_COLUMNS;
  const { LC_ALL, LC_CTYPE, LANG } = process.env;
  // locale(7): the first that is set and not empty counts.
  const locale = LC_ALL || LC_CTYPE || LANG || '';
  return { columns, glyphs: /utf-?8/i.test(locale) ? BOXES : ASCII };
}

const TINTS: Readonly<Record<Tone, Tint>> = {
  name: 'bold',
  good: 'green',
  bad: 'red',
  waiting: 'yellow',
  faint: 'dim',
};

export function paint(line: Line): string {
  const end = line.findLastIndex(({ text }) => text.trim() !== '') + 1;
  return line
    .slice(0, end)
    .map(({ text, tone }) => (tone === undefined ? text : tint(TINTS[tone], text)))
    .join('');
}
