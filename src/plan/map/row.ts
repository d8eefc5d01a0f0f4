/** Lines of the map: pieces of text with a meaning, that the terminal may colour. */
import { cutTo, drawable, type Glyphs, widthOf } from './glyphs.ts';

export type Tone = 'name' | 'good' | 'bad' | 'waiting' | 'faint';

export interface Piece {
  readonly text: string;
  readonly tone?: Tone;
}

export type Line = readonly Piece[];

export interface Row {
  /** Guides in front of the first line, and of the lines that follow when it is too long. */
  readonly first: string;
  readonly rest: string;
  readonly head: readonly Piece[];
  readonly facts: readonly Piece[];
}

/** Facts that do not fit go on below the first one, under their row's guides. */
export function layOut(row: Row, columns: number, glyphs: Glyphs): readonly Line[] {
  const safe = (piece: Piece): Piece => ({ ...piece, text: drawable(piece.text, glyphs) });
  const head = row.head.map(safe);
  const headWidth = head.reduce((sum, { text }) => sum + widthOf(text), 0);
  const gap = head.length === 0 ? 0 : 2;
  // Below a long head there would be no room left.
  const most = Math.floor(columns / 3);
  const indent = Math.max(gap, Math.min(widthOf(row.first) + headWidth + gap, most) - widthOf(row.rest));
  const lines: Piece[][] = [[{ text: row.first }, ...cutHead(head, columns - widthOf(row.first), glyphs)]];
  let used = widthOf(row.first) + headWidth;
  let isFirst = true;
  for (const fact of row.facts.map(safe)) {
    const before = isFirst ? ' '.repeat(gap) : glyphs.dot;
    const wide = widthOf(fact.text);
    if (used + widthOf(before) + wide <= columns) {
      lines.at(-1)?.push({ text: before }, fact);
      used += widthOf(before) + wide;
    } else {
      const guide = `${row.rest}${' '.repeat(indent)}`;
      const text = cutTo(fact.text, columns - widthOf(guide), glyphs);
      lines.push([{ text: guide }, { ...fact, text }]);
      used = widthOf(guide) + widthOf(text);
    }
    isFirst = false;
  }
  return lines;
}

function cutHead(head: readonly Piece[], columns: number, glyphs: Glyphs): readonly Piece[] {
  let left = columns;
  return head.map((piece) => {
    const text = cutTo(piece.text, Math.max(1, left), glyphs);
    left -= widthOf(text);
    return { ...piece, text };
  });
}

export const plainText = (line: Line): string =>
  line
    .map(({ text }) => text)
    .join('')
    .trimEnd();
