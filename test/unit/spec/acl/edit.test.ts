import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addInclude, addRule, removeRules } from '../../../../src/spec/acl/edit.ts';
import { type AclMeaning, parseAcl } from '../../../../src/spec/acl/statement.ts';
import { aclText } from './arbitrary.ts';

const told = (text: string): readonly AclMeaning[] =>
  parseAcl(text)
    .map(({ meaning }) => meaning)
    .filter(({ kind }) => kind !== 'blank');
const isOf =
  (bridge: string) =>
  (meaning: AclMeaning): boolean =>
    meaning.kind === 'rule' && meaning.bridge === bridge;

test('a rule is added at the end, once, and a missing line end before it', () => {
  expect(addRule('# mine\nallow br0', 'allow', 'br1')).toBe('# mine\nallow br0\nallow br1\n');
  expect(addRule('  allow   br1 \r\n', 'allow', 'br1')).toBe('  allow   br1 \r\n');
  expect(addRule('', 'deny', 'br1')).toBe('deny br1\n');
  expect(addInclude('allow br0\n', '/etc/qemu/alice.conf')).toBe('allow br0\ninclude /etc/qemu/alice.conf\n');
});

test('a removed rule takes nothing else with it', () => {
  expect(removeRules('# br0\nallow br0\n\ndeny br0\nallow br00\n', 'br0')).toBe('# br0\n\nallow br00\n');
});

test('the tail of an over-long comment is removed without making the next line its tail', () => {
  const comment = `#${'x'.repeat(4094)}`;
  expect(removeRules(`${comment}allow br0\nallow br1\n`, 'br0')).toBe(`${comment}\nallow br1\n`);
});

test('whatever the file holds: all other statements mean what they meant', () => {
  fc.assert(
    fc.property(aclText, fc.constantFrom('br0', 'br1', 'all'), (text, bridge) => {
      expect(told(removeRules(text, bridge))).toEqual(told(text).filter((one) => !isOf(bridge)(one)));
      const added: AclMeaning = { kind: 'rule', verb: 'allow', bridge };
      const there = told(text).some(
        (one) => isOf(bridge)(one) && one.kind === 'rule' && one.verb === 'allow',
      );
      expect(told(addRule(text, 'allow', bridge))).toEqual(there ? told(text) : [...told(text), added]);
    }),
  );
});
