import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { boardOf } from '../../../../src/plan/map/board.ts';
import { ASCII, BOXES, cutTo, drawable, widthOf } from '../../../../src/plan/map/glyphs.ts';
import { plainText } from '../../../../src/plan/map/row.ts';
import { drawBoard } from '../../../../src/plan/map/text.ts';
import { addressWords, bits, stateTone } from '../../../../src/plan/map/words.ts';
import { EMPTY, SERVER } from '../../../golden/map/hosts.ts';

test.each([
  [0, '0 bit/s'],
  [999, '999 bit/s'],
  [1000, '1.0 kbit/s'],
  [9_949, '9.9 kbit/s'],
  [12_345, '12 kbit/s'],
  [999_600, '1.0 Mbit/s'],
  [2_500_000_000, '2.5 Gbit/s'],
  [3e15, '3000 Tbit/s'],
])('%d bit in a second are written %s', (rate, text) => expect(bits(rate)).toBe(text));

test.each([
  ['br0', 3],
  ['网桥', 4],
  ['e\u0301', 1],
])('%s is %d columns wide', (text, columns) => expect(widthOf(text)).toBe(columns));

test('any text is cut to its columns, and drawable text moves no cursor', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 30 }), (text, columns) => {
      for (const glyphs of [ASCII, BOXES]) {
        const shown = drawable(text, glyphs);
        expect(widthOf(cutTo(shown, columns, glyphs))).toBeLessThanOrEqual(columns);
        expect(shown).not.toMatch(/[\p{Cc}\p{Cf}]/u);
      }
      expect(drawable(text, ASCII)).toMatch(/^[ -~]*$/);
    }),
  );
});

describe('at any width', () => {
  test.each([1, 40, 53, 97, 200])('%d columns: no line is longer, and nothing is lost', (columns) => {
    const lines = drawBoard(boardOf(SERVER), { columns, glyphs: BOXES }).map(plainText);
    for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(Math.max(40, columns));
    const text = lines.join(' ');
    for (const { name } of SERVER.links.filter((link) => link.name !== 'lo' && link.name !== 'mv0'))
      expect(text).toContain(name);
  });
});

test('an empty host is drawn with a word, not with nothing', () => {
  expect(drawBoard(boardOf(EMPTY), { columns: 80, glyphs: ASCII }).map(plainText)).toEqual([
    'No bridge and no NIC on this host',
  ]);
});

test('a link-local address stands in only where there is no other', () => {
  const [far, near] = [
    { address: '192.0.2.1', source: 'lease' },
    { address: 'fe80::1', source: 'neighbour' },
  ] as const;
  const shown = (...all: Parameters<typeof addressWords>[0]): string[] =>
    addressWords(all).map(({ text }) => text);
  expect([shown(far, near), shown(near)]).toEqual([['192.0.2.1 (lease)'], ['fe80::1']]);
});

test('what is not well is red', () => {
  expect(['up', 'starting', 'blocking'].map(stateTone)).toEqual(['good', 'waiting', 'bad']);
});
