import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { batchLine, shellLine, withStdin } from '../../../src/plan/shell.ts';

/** What sh makes of a line, NUL between words. */
const words = (line: string): string[] =>
  execFileSync('sh', ['-c', `printf '%s\\0' ${line}`], { encoding: 'utf8' })
    .split('\0')
    .slice(0, -1);

const text = fc
  .string({ unit: 'binary' })
  .filter((one) => !one.includes('\0') && Buffer.from(one).toString() === one);

describe('shellLine', () => {
  test('every word reaches the program as it is', () => {
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 8 }), (argv) => {
        expect(words(shellLine(argv))).toEqual(argv);
      }),
      { numRuns: 60 },
    );
  });

  test('plain words stay readable', () => {
    expect(shellLine(['ip', 'link', 'set', 'dev', 'br0', 'alias', 'a b'])).toBe(
      "ip link set dev br0 alias 'a b'",
    );
  });

  test('a first word with "=" is no assignment', () => {
    expect(shellLine(['A=1', 'x'])).toBe("'A=1' x");
  });
});

describe('withStdin', () => {
  test.each(['one\n', 'one\ntwo\n', 'END\n', 'no newline', "'quoted' $HOME `id`\n", ''])(
    '%j arrives byte for byte',
    (input: string) => {
      expect(execFileSync('sh', ['-c', withStdin('cat', input)], { encoding: 'utf8' })).toBe(input);
    },
  );
});

describe('batchLine', () => {
  test('quotes only what needs it', () => {
    expect(batchLine(['link', 'set', 'dev', 'br0', 'alias', "it's us", ''])).toBe(
      'link set dev br0 alias "it\'s us" ""',
    );
  });

  test.each(['a#b', 'a\nb', 'a\\b', `both ' and "`])('%j can not be said in a batch', (word: string) => {
    expect(() => batchLine(['link', word])).toThrow('can not be said to');
  });
});
