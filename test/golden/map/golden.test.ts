import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { boardOf } from '../../../src/plan/map/board.ts';
import { ASCII, BOXES, widthOf } from '../../../src/plan/map/glyphs.ts';
import { plainText } from '../../../src/plan/map/row.ts';
import { svgOf } from '../../../src/plan/map/svg.ts';
import { drawBoard } from '../../../src/plan/map/text.ts';
import { HOSTILE, LATER, SERVER } from './hosts.ts';

function golden(name: string, text: string): void {
  const path = new URL(name, import.meta.url).pathname;
  if (process.env['UPDATE'] === '1') writeFileSync(path, text);
  expect(text).toBe(readFileSync(path, 'utf8'));
}

const papers = [60, 80, 120].flatMap((columns) => [
  { columns, glyphs: BOXES, kind: 'utf8' },
  { columns, glyphs: ASCII, kind: 'ascii' },
]);

test.each(papers)('a server, $columns columns, $kind', ({ columns, glyphs, kind }) => {
  const lines = drawBoard(boardOf(LATER, SERVER), { columns, glyphs }).map(plainText);
  for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(columns);
  golden(`server-${columns}-${kind}.txt`, `${lines.join('\n')}\n`);
});

test('hostile names', () => {
  const lines = drawBoard(boardOf(HOSTILE), { columns: 80, glyphs: ASCII }).map(plainText);
  golden('hostile.txt', `${lines.join('\n')}\n`);
  golden('hostile.svg', svgOf(boardOf(HOSTILE)));
});

test('a server as a picture', () => {
  golden('server.svg', svgOf(boardOf(LATER, SERVER)));
});
