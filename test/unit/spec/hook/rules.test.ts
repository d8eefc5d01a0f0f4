import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fits, parseHookRules, ruleFor } from '../../../../src/spec/hook/rules.ts';

const read = (text: string): ReturnType<typeof parseHookRules> => parseHookRules(text, 'ifup.ini');
const problems = (text: string): string[] => read(text).problems.map(({ at, what }) => `${at}: ${what}`);

describe('ifup.ini', () => {
  const TEXT = `; which tap goes where
[web*]
bridge = br1
mtu = 9000
isolated = on

[tap*]
bridge = br0
`;
  test('the first section that fits decides', () => {
    const { rules } = read(TEXT);
    expect(ruleFor(rules, 'web0')).toMatchObject({ bridge: 'br1', mtu: 9000, isolated: true });
    expect(ruleFor(rules, 'tap3')).toMatchObject({ bridge: 'br0' });
    expect(ruleFor(rules, 'vnet0')).toBeUndefined();
  });

  test.each([
    ['[tap*]\nbrigde = br0', '[tap*] brigde in ifup.ini:2: there is no key "brigde"'],
    ['[tap*]\nmtu = 1500', '[tap*] in ifup.ini:1: the bridge is missing'],
    ['[tap*]\nbridge = br0 ; mine', 'ifup.ini:2: "br0 ; mine" must be a plain value'],
    ['[tap*]\nbridge = "br0"', 'ifup.ini:2: ""br0"" must be a plain value'],
    ['[tap*]\nbridge = br0\nbridge = br1', '[tap*] bridge in ifup.ini:3: bridge is given twice'],
    [
      '[tap*]\nbridge = a-name-that-is-too-long',
      '[tap*] bridge in ifup.ini:2: "a-name-that-is-too-long" is 23 bytes long; the kernel allows 15',
    ],
    [
      '[tap*]\nbridge = br0\nmtu = 65522',
      '[tap*] mtu in ifup.ini:3: "65522" must be a whole number from 68 to 65521',
    ],
    ['[tap*]\nbridge = br0\nisolated = 1', '[tap*] isolated in ifup.ini:3: "1" must be on or off'],
    ['[a b]\nbridge = br0', '[a b] in ifup.ini:1: this is no pattern of interface names'],
    ['bridge = br0', 'ifup.ini:1: bridge stands before the first section'],
  ])('%j is refused with its place', (text, problem) => {
    expect(problems(text)).toContain(problem);
  });
});

describe('a pattern', () => {
  test.each([
    ['tap*', 'tap', true],
    ['tap?', 'tap', false],
    ['tap?', 'tap1', true],
    ['*', 'anything', true],
    ['t.p', 'tap', false],
    ['tap1', 'tap10', false],
    ['(a', '(a', true],
  ])('%s and %s: %s', (pattern, name, expected) => expect(fits(pattern, name)).toBe(expected));

  test('without * and ? fits itself alone', () => {
    const name = fc.string({ minLength: 1, maxLength: 15 }).filter((text) => !/[*?\n]/.test(text));
    fc.assert(fc.property(name, name, (a, b) => fits(a, b) === (a === b)));
  });
});
