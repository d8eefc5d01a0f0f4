import fc from 'fast-check';
import { expect, test } from 'vitest';
import { renderDiffs } from '../../../../../src/plan/bridge/persist/diff.ts';
import { putFile } from '../../../../../src/plan/files.ts';

const PATH = '/etc/x';
const diff = (before: string | undefined, content: string): string =>
  renderDiffs([putFile({ path: PATH, content })], () => before);

test('what changes, with the lines around it; what stays is not told, nor what is no file of /etc', () => {
  expect(diff('1\n2\n3\n4\n5\n6\n7\n8\n9\n', '1\n2\n3\n4\nfive\n6\n7\n8\n9\n')).toBe(
    ['# --- /etc/x', '# +++ /etc/x', '#  3', '#  4', '# -5', '# +five', '#  6', '#  7', '# …'].join('\n'),
  );
  expect(diff(undefined, 'a\n')).toBe('# --- /dev/null\n# +++ /etc/x\n# +a');
  expect(diff('a\n', 'a\n')).toBe('');
  expect(renderDiffs([putFile({ path: '/run/x', content: 'a' })], () => undefined)).toBe('');
});

test('whatever the files are: what is taken and what is added make the one of the other', () => {
  const lines = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 2 });
  fc.assert(
    fc.property(lines, lines, (before, after) => {
      const rows = diff(before.map((one) => `${one}\n`).join(''), after.map((one) => `${one}\n`).join(''))
        .split('\n')
        .slice(2);
      const side = (signs: string): readonly string[] =>
        rows.filter((row) => signs.includes(row[2] ?? '')).map((row) => row.slice(3));
      if (before.join() === after.join()) expect(rows).toEqual([]);
      else expect([side(' -'), side(' +')]).toEqual([before, after]);
    }),
  );
});
