/** Texts that look like bridge.conf, with everything that can go wrong in one. latin1: a character is a byte. */
import fc from 'fast-check';

const space = fc.constantFrom(' ', '\t', '  ', ' \t', '\f', '\r', '\v', '', ' '.repeat(4090));
const command = fc.constantFrom(
  ...['allow', 'allow', 'allow', 'allow', 'allow', 'deny', 'deny', '#', '# allow'],
  ...['Allow', 'permit', 'al', ';', '//'],
);
export const bridgeName: fc.Arbitrary<string> = fc.constantFrom(
  ...[
    'br0',
    'br0',
    'br1',
    'br2',
    'all',
    'all',
    'ALL',
    'BR0',
    'br0 br1',
    'br0,br1',
    'br*',
    '"br0"',
    'br0 # x',
  ],
  ...['', 'abcdefghijklmno', 'abcdefghijklmnop', '\u00a0br0', 'br0\\', 'br0\0x', '\0', '\u00ff'],
);
const end = fc.constantFrom('\n', '\n', '\n', '\r\n', '\0\n', ' \n', '', '\n\n', '\n\r');
const rule = fc
  .tuple(space, command, fc.constantFrom(' ', ' ', '\t', '  ', '\t '), bridgeName, space, end)
  .map((parts) => parts.join(''));
const proper = fc
  .tuple(fc.constantFrom('allow', 'deny'), fc.constantFrom('br0', 'br1', 'br2', 'all'))
  .map(([verb, name]) => `${verb} ${name}\n`);
const long = fc
  .tuple(
    fc.constantFrom('#', ' ', '# '),
    fc.integer({ min: 4085, max: 4100 }),
    fc.constantFrom(...'x \t\0#'),
    proper,
  )
  .map(([head, length, filler, tail]) => `${head}${filler.repeat(length)}${tail}`);
const noise = fc
  .array(fc.integer({ min: 0, max: 255 }), { maxLength: 12 })
  .map((bytes) => String.fromCharCode(...bytes));

const byteOrderMark = '\u00ef\u00bb\u00bf';

/** @param others more kinds of lines */
export const aclTextOf = (...others: readonly fc.Arbitrary<string>[]): fc.Arbitrary<string> =>
  fc
    .tuple(
      fc.constantFrom('', '', '', '', '', '', '', '', '', byteOrderMark),
      fc.array(
        fc.oneof(
          { weight: 20, arbitrary: proper },
          { weight: 4, arbitrary: rule },
          { weight: 1, arbitrary: long },
          { weight: 1, arbitrary: noise },
          ...others.map((arbitrary) => ({ weight: 4, arbitrary })),
        ),
        { maxLength: 5 },
      ),
    )
    .map(([mark, lines]) => mark + lines.join(''));

export const aclText: fc.Arbitrary<string> = aclTextOf();
