import { expect, test } from 'vitest';
import { decide } from '../../../../src/spec/acl/decide.ts';
import { type AclRules, type AclSource, readRules } from '../../../../src/spec/acl/rules.ts';

function rulesOf(files: Readonly<Record<string, string>>): AclRules {
  const read = (path: string): AclSource => {
    const text = files[path];
    return text === undefined ? { why: 'there is no such file' } : { text };
  };
  return readRules('top', read);
}
const verdict = (files: Readonly<Record<string, string>>, bridge = 'br0'): string => {
  const found = decide(rulesOf(files), bridge);
  if (found.kind === 'failed') return `failed ${found.failure.file}:${found.failure.line}`;
  return found.by === undefined ? found.kind : `${found.kind} by ${found.by.file}:${found.by.line}`;
};

test.each([
  ['nothing is allowed by itself', '', 'denied'],
  ['an allow', '# x\nallow br0\n', 'allowed by top:2'],
  ['all', 'allow all\n', 'allowed by top:1'],
  ['a rule that names the bridge is the deciding one', 'allow all\nallow br0\n', 'allowed by top:2'],
  ['a deny wins whatever the order', 'deny br0\nallow br0\n', 'denied by top:1'],
  ['deny all defeats an allow', 'allow br0\ndeny all\n', 'denied by top:2'],
  ['a deny of another', 'allow all\ndeny br1\n', 'allowed by top:1'],
  ['an error loses the whole file', 'allow br0\nbogus x\n', 'failed top:2'],
])('%s', (_, top, expected) => {
  expect(verdict({ top })).toBe(expected);
});

test('includes: read, missing, broken, looping', () => {
  const files = {
    top: 'include a\ninclude missing\ninclude broken\ninclude a\n',
    a: 'include b\n',
    b: 'include a\nallow br0\n',
    broken: 'allow br1\nwhat\nallow br2\n',
  };
  const found = rulesOf(files);
  expect(found.includes.map(({ file, line, state }) => `${file}:${line} ${state}`)).toEqual([
    'top:1 read',
    'a:1 read',
    'b:1 loop',
    'top:2 unread',
    'top:3 broken',
    'top:4 again',
  ]);
  expect(found.broken).toMatchObject([{ file: 'broken', line: 2 }]);
  expect(verdict(files)).toBe('allowed by b:2');
  expect(verdict(files, 'br1')).toBe('allowed by broken:1');
  expect(verdict(files, 'br2')).toBe('denied');
});

test('a file that can not be read fails as a whole, on no line', () => {
  expect(verdict({})).toBe('failed top:0');
});

test('what lies deeper than the helper can open does not count', () => {
  const chain = (length: number): Record<string, string> =>
    Object.fromEntries(
      Array.from({ length }, (_, n) => [
        n === 0 ? 'top' : `f${n}`,
        n === length - 1 ? 'allow br0\n' : `include f${n + 1}\n`,
      ]),
    );
  expect(verdict(chain(1000))).toBe('allowed by f999:1');
  expect(verdict(chain(1001))).toBe('denied');
});
