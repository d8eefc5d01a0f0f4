import { describe, expect, test } from 'vitest';
import { readIni } from '../../../src/spec/ini/lines.ts';
import { decodeValue } from '../../../src/spec/ini/value.ts';
import { readProfile } from '../../../src/spec/ini.ts';

/** One value of [vm], or what is wrong with its line. */
function value(raw: string): string {
  const { sections, problems } = readIni(`[vm]\nkey = ${raw}\n`, 'web.ini', decodeValue);
  return sections[0]?.lines[0]?.text ?? `! ${problems[0]?.what}`;
}

describe('a value is the text that stands there', () => {
  test.each([
    ['/a;b#c', '/a;b#c'],
    ['null', 'null'],
    ['true', 'true'],
    ['false', 'false'],
    ['007', '007'],
    ['a=b=c', 'a=b=c'],
    ['', ''],
    ['  padded  ', 'padded'],
    ['a\\;b', 'a\\;b'],
    ['C:\\x', 'C:\\x'],
    ['[x]', '[x]'],
    ['"with ; and # and \\"quotes\\""', 'with ; and # and "quotes"'],
    ['"null"', 'null'],
    ['"  padded  "', '  padded  '],
    ['"\\u0041\\n"', 'A\n'],
    ["'null'", 'null'],
    ["'1.0'", '1.0'],
    ["'a ; b'", 'a ; b'],
    ['"open', '! "open is not a text in double quotes'],
    ['"bad \\x escape"', '! "bad \\x escape" is not a text in double quotes'],
    ['"a" ; comment', '! "a" ; comment is not a text in double quotes'],
    ["'a' b", '! the quotes do not end where the value ends'],
    ["'", '! the quotes do not end where the value ends'],
    ['2G ; two gigs', '! is what follows the blank a comment?'],
    ['My disk #2.img', '! is what follows the blank a comment?'],
  ])('%s', (raw, expected) => expect(value(raw)).toBe(expected));
});

test('lines, with what is wrong with them', () => {
  const text = [
    'memory = 1G',
    '; a comment',
    '# another',
    '[vm]  ; where the machine is',
    '[unterminated',
    'bare',
    '= x',
    'bad\u0007 = x',
    '[vm]',
    'memory = 2G',
    '[eth0.100]',
    '[__proto__]',
    'polluted = yes',
  ].join('\n');
  const { sections, problems } = readIni(text, 'web.ini', decodeValue);
  expect(sections.map(({ name, line }) => `${line} ${name}`)).toEqual([
    '4 vm',
    '9 vm',
    '11 eth0.100',
    '12 __proto__',
  ]);
  expect(problems.map(({ at, what, hint = '' }) => `${at}: ${what} (${hint})`)).toEqual([
    'web.ini:1: memory stands before the first section (begin with [vm])',
    'web.ini:5: "[unterminated" is not a section (write [net0])',
    'web.ini:6: "bare" has no "=" (write bare = value)',
    'web.ini:7: there is no key before "=" ()',
    'web.ini:8: there is a control character in this line ()',
    'web.ini:9: [vm] is there twice; the first one is in line 4 ()',
  ]);
  expect({}).not.toHaveProperty('polluted');
});

test('a BOM, CRLF and CR do not count', () => {
  const { sections, problems } = readIni(
    '\uFEFF[vm]\r\nname = web\r\n\r[net0]\rmode = user',
    'web.ini',
    decodeValue,
  );
  expect(problems).toEqual([]);
  expect(sections.map(({ name, lines }) => [name, lines])).toEqual([
    ['vm', [{ key: 'name', text: 'web', line: 2 }]],
    ['net0', [{ key: 'mode', text: 'user', line: 5 }]],
  ]);
});

test('a profile: keys of [vm], NICs and disks in the order of their numbers', () => {
  const text =
    '[net10]\nmode = nat\n[disk0]\nfile = a.img\n[net2]\nmode = user\nfwd = 1:1\nfwd = 2:2\n[vm]\nnet = passt\nmemory = 1G';
  const layer = readProfile({ path: '/profiles/web.ini', text });
  expect(layer.problems).toEqual([]);
  expect(layer.nets.map((net) => ('short' in net ? net.short.text : net.section))).toEqual([
    'passt',
    'net2',
    'net10',
  ]);
  expect(layer.nets[1]).toMatchObject({
    at: '[net2] in web.ini:5',
    props: [{ key: 'mode' }, { text: '1:1' }, { text: '2:2' }],
  });
  expect(layer.values.get('memory')).toMatchObject([
    { text: '1G', at: '[vm] memory in web.ini:11', dir: '/profiles' },
  ]);
});

test('unknown sections and keys, and keys given twice, are refused', () => {
  const text =
    '[vm]\nmemry = 1G\nname = a\nname = b\nnet[] = user\nconstructor = 1\n[eth0.100]\na = b\n[net01]\n[disks]\n[__proto__]';
  const { problems } = readProfile({ path: '/web.ini', text });
  expect(problems.map(({ at, what, hint }) => `${at}: ${what}${hint ? ` (${hint})` : ''}`)).toEqual([
    '[vm] memry in web.ini:2: there is no key "memry" (did you mean "memory"?)',
    '[vm] name in web.ini:4: name is given twice (first: [vm] name in web.ini:3)',
    '[vm] net[] in web.ini:5: there is no key "net[]" (did you mean "net"?)',
    '[vm] constructor in web.ini:6: there is no key "constructor"',
    '[eth0.100] in web.ini:7: there is no section "eth0.100" ([vm], [net0], [net1], …, [disk0], …)',
    '[net01] in web.ini:9: there is no section "net01" (did you mean [net0]?)',
    '[disks] in web.ini:10: there is no section "disks" (did you mean [disk0]?)',
    '[__proto__] in web.ini:11: there is no section "__proto__" ([vm], [net0], [net1], …, [disk0], …)',
  ]);
});
