import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type AclMeaning, parseAcl, printAcl } from '../../../../src/spec/acl/statement.ts';
import { aclText } from './arbitrary.ts';

const meanings = (text: string): readonly AclMeaning[] => parseAcl(text).map(({ meaning }) => meaning);
const allow = (bridge: string): AclMeaning => ({ kind: 'rule', verb: 'allow', bridge });

test.each<[string, string, AclMeaning]>([
  ['one space', 'allow br0\n', allow('br0')],
  ['no line end', 'allow br0', allow('br0')],
  ['a tab', 'allow\tbr0\n', allow('br0')],
  ['white space everywhere', '  \t allow   br0  \t \r\n', allow('br0')],
  ['a form feed is trimmed', 'allow br0\f\n', allow('br0')],
  ['a vertical tab is not', 'allow br0\v\n', allow('br0\v')],
  ['what follows a NUL does not exist', 'allow br0\0 junk\n', allow('br0')],
  ['a comment behind a rule belongs to the name', 'allow br0 # x\n', allow('br0 # x')],
  ['an empty name', 'allow \n', allow('')],
  ['all', 'allow all\n', allow('all')],
  ['spaces in a path', 'include /a b\n', { kind: 'include', path: '/a b' }],
  ['an include may be long', `include /${'x'.repeat(30)}\n`, { kind: 'include', path: `/${'x'.repeat(30)}` }],
  ['indented comment', '  # allow br0\n', { kind: 'comment' }],
  ['only white space', ' \t\f\r\n', { kind: 'blank' }],
])('%s', (_, text, meaning) => {
  expect(meanings(text)).toEqual([meaning]);
});

test.each([
  ['allow\n', 'Invalid config line:\n  allow', /without an argument/],
  ['Allow br0\n', "Unknown command `Allow'", /write allow: case counts/],
  ['allow\tbr0 # c\n', "Unknown command `allow\tbr0'", /not by a tab/],
  ['\u00ef\u00bb\u00bfallow br0\n', "Unknown command `\u00ef\u00bb\u00bfallow'", /byte order mark/],
  ['; allow br0\n', "Unknown command `;'", /begins with #/],
  ['allow averyveryverylongname\n', "name `averyveryverylongname' too long: 21", /at most 15 bytes/],
  ['bogus averyverylongnamehere\n', "name `averyverylongnamehere' too long: 21", /at most 15 bytes/],
])('an error in the helper’s own words: %j', (text, says, why) => {
  expect(meanings(text)).toEqual([{ kind: 'error', says, why: expect.stringMatching(why) }]);
});

test('the tail of a line over 4095 bytes is a statement, even that of a comment', () => {
  const [comment, tail, next] = parseAcl(`#${'x'.repeat(4094)}allow br0\ndeny br1\n`);
  expect(comment).toMatchObject({ line: 1, continued: false, meaning: { kind: 'comment' } });
  expect(tail).toMatchObject({ line: 1, continued: true, meaning: allow('br0') });
  expect(next).toMatchObject({ line: 2, continued: false });
});

test('whatever the file holds, it is printed back byte for byte', () => {
  fc.assert(
    fc.property(aclText, (text) => {
      expect(printAcl(parseAcl(text))).toBe(text);
    }),
  );
});
