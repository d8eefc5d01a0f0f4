import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { opt } from '../../../../src/plan/qemu/opt.ts';

test.each<[string, Parameters<typeof opt>, string]>([
  ['a comma is doubled', ['tap', { id: 'a,b' }], 'tap,id=a,,b'],
  ['nothing else is special', ['', { file: `it's "x" = $(y) \\ \n` }], `file=it's "x" = $(y) \\ \n`],
  ['booleans are on and off', ['socket', { server: true, wait: false }], 'socket,server=on,wait=off'],
  ['what is undefined is left out', ['user', { net: undefined, id: 'n' }], 'user,id=n'],
  ['a list repeats the key', ['user', { hostfwd: ['a', 'b,c'] }], 'user,hostfwd=a,hostfwd=b,,c'],
  ['an empty list is left out', ['user', { hostfwd: [] }], 'user'],
  ['an empty value stays', ['vfio-pci', { romfile: '' }], 'vfio-pci,romfile='],
  ['zero stays', ['x', { rombar: 0 }], 'x,rombar=0'],
  ['without a head', ['', { guest: 'web' }], 'guest=web'],
])('%s', (_, args, expected) => expect(opt(...args)).toBe(expected));

test('a NUL byte can not be said', () => expect(() => opt('', { a: 'x\0y' })).toThrow('NUL'));

/**
 * QEMU's reader as it is in util/qemu-option.c (get_opt_name, get_opt_value): a value ends at a comma that is not
 * followed by another one, a name at the first `=` or `,`.
 */
function readLikeQemu(text: string): [string, string][] {
  const result: [string, string][] = [];
  let rest = text;
  while (rest !== '') {
    const name = /^[^=,]*/.exec(rest)?.[0] ?? '';
    rest = rest.slice(name.length + 1);
    let value = '';
    for (;;) {
      const comma = rest.indexOf(',');
      value += comma < 0 ? rest : rest.slice(0, comma);
      if (comma < 0 || rest[comma + 1] !== ',') {
        rest = comma < 0 ? '' : rest.slice(comma + 1);
        break;
      }
      value += ',';
      rest = rest.slice(comma + 2);
    }
    result.push([name, value]);
  }
  return result;
}

describe('QEMU reads back what was written', () => {
  const value = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.array(fc.constantFrom(',', '=', 'a', '"', ' ')).map((chars) => chars.join('')),
  );
  const safe = value.filter((text) => !text.includes('\0'));
  const keys = fc.uniqueArray(fc.stringMatching(/^[a-z][a-z0-9._-]{0,9}$/), { minLength: 1, maxLength: 6 });

  test('whatever the values are', () => {
    const props = keys.chain((names) => fc.tuple(...names.map((name) => fc.tuple(fc.constant(name), safe))));
    fc.assert(
      fc.property(props, (pairs) => {
        expect(readLikeQemu(opt('', Object.fromEntries(pairs)))).toEqual(pairs);
      }),
    );
  });

  test('lists too', () => {
    fc.assert(
      fc.property(fc.array(safe, { minLength: 1 }), (list) => {
        expect(readLikeQemu(opt('', { fwd: list }))).toEqual(list.map((item) => ['fwd', item]));
      }),
    );
  });
});
