/** Whole command lines. `UPDATE=1 npx vitest … --project golden` writes them anew; the diff is then to be read. */
import { writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { renderCommand } from '../../../src/plan/qemu/command.ts';
import { goldenCases } from './cases.ts';
import { seedRows } from './seeds.ts';

const cases = goldenCases();

test.each(cases)('$name', ({ command, file, expected }) => {
  const text = `${renderCommand(command)}\n`;
  if (process.env['UPDATE'] === '1') writeFileSync(file, text);
  else expect(text).toBe(expected);
});

test('there are cases', () => expect(cases.length).toBeGreaterThanOrEqual(25));

test('the translation table says what the seed goldens say', () => {
  const goldens = cases.filter(({ name }) => name.startsWith('seed-')).map(({ args }) => args);
  expect(
    seedRows()
      .map(({ args }) => args)
      .sort(),
  ).toEqual(goldens.sort());
});
