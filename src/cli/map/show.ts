/** qlaunch map: the host's switch board, as people draw it. */
import { linuxMachine } from '../../host/linux.ts';
import { identity } from '../../host/vm/user.ts';
import { boardOf } from '../../plan/map/board.ts';
import { ASCII, BOXES } from '../../plan/map/glyphs.ts';
import type { Line, Tone } from '../../plan/map/row.ts';
import { drawBoard, type Paper } from '../../plan/map/text.ts';
import { lookAtBoard } from '../../run/map/look.ts';
import { json, note, out, type Tint, tint } from '../terminal.ts';

export interface MapOptions {
  readonly json?: boolean;
  /** Seconds between two looks. */
  readonly watch?: number;
  readonly svg?: string;
}

export async function showMap(options: MapOptions): Promise<number> {
  const facts = await lookAtBoard(linuxMachine(), identity(process.env), process.env);
  const board = boardOf(facts);
  if (options.json === true) json(board);
  else {
    const lines = drawBoard(board, paper());
    if (lines.length === 0) note('no bridges, no NICs and no VMs here');
    else out(lines.map(paint).join('\n'));
  }
  return 0;
}

/** Where nobody says how wide it is, it is a file or a pipe. */
const PLAIN_COLUMNS = 80;

export function paper(): Paper {
  const columns = process.stdout.columns ?? (Number(process.env['COLUMNS']) || PLAIN_COLUMNS);
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
  return line
    .map(({ text, tone }) => (tone === undefined ? text : tint(TINTS[tone], text)))
    .join('')
    .trimEnd();
}
