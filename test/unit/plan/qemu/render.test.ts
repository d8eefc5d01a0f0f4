import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { renderCommand } from '../../../../src/plan/qemu/command.ts';

/** What a shell makes of the text, in front of a program that prints its arguments. */
function pasted(text: string): string[] {
  const script = `show() { printf '%s\\0' "$@"; }\nshow ${text}`;
  return execFileSync('/bin/sh', ['-c', script], { encoding: 'utf8' }).split('\0').slice(0, -1);
}

test('one option per line, quoted only where it must be', () => {
  const options = [
    ['-nodefaults'],
    ['-name', 'guest=a b'],
    ['-append', ''],
    ['-drive', "file=it's,,x", '-S'],
  ];
  const text = renderCommand({ binary: 'qemu-system-x86_64', options, argv: options.flat() });
  expect(text.split('\n')).toEqual([
    'qemu-system-x86_64 \\',
    '  -nodefaults \\',
    "  -name 'guest=a b' \\",
    "  -append '' \\",
    "  -drive 'file=it'\\''s,,x' -S",
  ]);
});

test('a shell reads back what would be run', () => {
  const word = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc
      .array(fc.constantFrom("'", '"', '\\', '\n', ' ', '$', '`', '-', '=', ',', '!', '*', '~', '#'))
      .map((chars) => chars.join('')),
  );
  const words = fc.array(
    fc.array(
      word.filter((text) => !text.includes('\0')),
      { minLength: 1, maxLength: 3 },
    ),
    { maxLength: 4 },
  );
  fc.assert(
    fc.property(
      word.filter((text) => text !== '' && !text.includes('\0')),
      words,
      (binary, options) => {
        expect(pasted(renderCommand({ binary, options, argv: options.flat() }))).toEqual([
          binary,
          ...options.flat(),
        ]);
      },
    ),
    { numRuns: 60 },
  );
});
