/** What the map is drawn with, and how wide text is on a terminal. */

export interface Glyphs {
  readonly line: string;
  readonly bar: string;
  readonly tee: string;
  readonly last: string;
  readonly topLeft: string;
  readonly topRight: string;
  readonly bottomLeft: string;
  readonly bottomRight: string;
  /** Where an uplink enters the bridge's upper edge, and the ports leave its lower one. */
  readonly enter: string;
  readonly leave: string;
  /** Between two facts. */
  readonly dot: string;
  readonly cut: string;
  readonly unknown: string;
}

export const BOXES: Glyphs = {
  ...{ line: '─', bar: '│', tee: '├', last: '└', enter: '┴', leave: '┬' },
  ...{ topLeft: '┌', topRight: '┐', bottomLeft: '└', bottomRight: '┘' },
  ...{ dot: ' · ', cut: '…', unknown: '\uFFFD' },
};

export const ASCII: Glyphs = {
  ...{ line: '-', bar: '|', tee: '|', last: '`', enter: '+', leave: '+' },
  ...{ topLeft: '+', topRight: '+', bottomLeft: '+', bottomRight: '+' },
  ...{ dot: ', ', cut: '~', unknown: '?' },
};

/** Control and format characters move the cursor or turn the text's direction: a name must not draw. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** A name from the kernel or from a command line, as it may be drawn. */
export function drawable(text: string, glyphs: Glyphs): string {
  const safe = text.replace(UNSAFE, glyphs.unknown);
  return glyphs === ASCII ? safe.replace(/[^\x20-\x7e]/gu, glyphs.unknown) : safe;
}

/** Two columns: East Asian Wide and Fullwidth of Unicode's EastAsianWidth.txt, in large blocks, and emoji. */
const WIDE =
  /[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6\u{1F300}-\u{1FAFF}\u{20000}-\u{3FFFD}]/u;

/** Columns on a terminal. */
export function widthOf(text: string): number {
  let columns = 0;
  for (const character of text) columns += /\p{M}/u.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
  return columns;
}

/** At most `columns` wide. */
export function cutTo(text: string, columns: number, glyphs: Glyphs): string {
  if (widthOf(text) <= columns) return text;
  let kept = '';
  for (const character of text) {
    if (widthOf(kept + character) > columns - 1) break;
    kept += character;
  }
  return `${kept}${glyphs.cut}`;
}
