/** A box of the picture: a name, and below it facts, as many on a line as fit. */
import { BOXES, cutTo, drawable, widthOf } from '../glyphs.ts';
import type { Piece, Tone } from '../row.ts';

export type BoxKind = 'nic' | 'bridge' | 'port' | 'vm';

export interface Box {
  readonly kind: BoxKind;
  readonly lines: readonly (readonly Piece[])[];
  /** Everything in full, for the viewer's tool tip. */
  readonly title: string;
  /** Pixels. */
  readonly height: number;
  /** As tall as its children together. */
  readonly stretch: boolean;
  readonly children: readonly Box[];
}

/** Pixels. A character of a monospace font is 0.6 of its size wide: 12 px, 7.22 with DejaVu Sans Mono. 42 of them: an IPv6 address in full. */
export const COLUMN = { width: 330, gap: 44, pitch: 374 } as const;
export const LINE_PX = 17;
export const PADDING_PX = 10;
const CHARACTERS = Math.floor((COLUMN.width - 2 * PADDING_PX) / 7.23);

export function textBox(kind: BoxKind, name: string, facts: readonly Piece[], children: readonly Box[]): Box {
  const clean = facts.map(({ text, tone }) => piece(drawable(text, BOXES), tone));
  const head = drawable(name, BOXES);
  const lines = [[piece(cutTo(head, CHARACTERS, BOXES), 'name')], ...fill(clean)];
  return {
    kind,
    lines,
    title: [head, ...clean.map(({ text }) => text)].join('\n'),
    height: lines.length * LINE_PX + 2 * PADDING_PX,
    stretch: false,
    children,
  };
}

const piece = (text: string, tone?: Tone): Piece => (tone === undefined ? { text } : { text, tone });

function fill(facts: readonly Piece[]): readonly (readonly Piece[])[] {
  const lines: Piece[][] = [];
  let used = CHARACTERS;
  for (const fact of facts) {
    const { text, tone } = { tone: undefined, ...fact, text: cutTo(fact.text, CHARACTERS, BOXES) };
    const wide = widthOf(text);
    if (used + BOXES.dot.length + wide <= CHARACTERS) {
      lines.at(-1)?.push({ text: BOXES.dot }, piece(text, tone));
      used += BOXES.dot.length + wide;
    } else {
      lines.push([piece(text, tone)]);
      used = wide;
    }
  }
  return lines;
}
