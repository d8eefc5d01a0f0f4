import fc from 'fast-check';
import { expect, test } from 'vitest';
import { unifiedDiff } from '../../../../src/plan/acl/diff.ts';

test('as diff -u prints it', () => {
  expect(unifiedDiff('/a', '1\n2\n3\n4\n5\n6\n7\n8\n', '1\n2\n3\n4\nfive\n6\n7\n8\n')).toBe(
    '--- /a\n+++ /a\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8',
  );
  expect(unifiedDiff('/a', undefined, 'x\n')).toBe('--- /dev/null\n+++ /a\n@@ -0,0 +1 @@\n+x');
  expect(unifiedDiff('/a', 'x', 'x\ny\n')).toBe(
    '--- /a\n+++ /a\n@@ -1 +1,2 @@\n-x\n\\ No newline at end of file\n+x\n+y',
  );
  expect(unifiedDiff('/a', 'x\n', 'x\n')).toBe('');
});

/** What patch(1) does with it: every hunk must match where it says it is. */
function patch(before: string, diff: string): string {
  const old = before.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  const result: string[] = [];
  let taken = 0;
  const lines = diff.split('\n').slice(2);
  for (const [index, line] of lines.entries()) {
    const [, start, count = '1'] = /^@@ -(\d+)(?:,(\d+))? /.exec(line) ?? [];
    if (start !== undefined) {
      const from = Number(start) - (count === '0' ? 0 : 1);
      result.push(...old.slice(taken, from));
      taken = from;
      continue;
    }
    const text = line.slice(1) + (lines[index + 1]?.startsWith('\\') === true ? '' : '\n');
    if (line.startsWith('\\')) continue;
    if (!line.startsWith('+')) {
      if (old[taken] !== text)
        throw new Error(`${JSON.stringify(old[taken])} is not ${JSON.stringify(text)}`);
      taken += 1;
    }
    if (!line.startsWith('-')) result.push(text);
  }
  return [...result, ...old.slice(taken)].join('');
}

test('whatever the texts are, the diff leads from one to the other', () => {
  const text = fc
    .tuple(
      fc.array(fc.constantFrom('a', 'b', 'c', '', '@', '+', '-'), { maxLength: 30 }),
      fc.constantFrom('', '\n'),
    )
    .map(([lines, end]) => lines.join('\n') + end);
  fc.assert(
    fc.property(text, text, (before, after) => {
      const diff = unifiedDiff('/a', before, after);
      expect(diff === '' ? before : patch(before, diff)).toBe(after);
    }),
  );
});
