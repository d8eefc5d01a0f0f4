import { expect, test } from 'vitest';
import { readRules } from '../../../../src/spec/acl/rules.ts';
import { aclWarnings } from '../../../../src/spec/acl/warnings.ts';

const warnings = (text: string): readonly string[] =>
  aclWarnings(readRules('/f', (path) => (path === '/f' ? { text } : { why: 'there is no such file' }))).map(
    (one) => `${one.line}: ${one.text}`,
  );

test.each<[string, string, readonly (string | RegExp)[]]>([
  ['nothing to say', '# x\nallow br0\ndeny br1\ninclude /missing\n', []],
  ['a deny shadows', 'deny br0\nallow br0\n', [/^2: "allow br0" has no effect: "deny br0" \(\/f:1\) wins/]],
  ['deny all', 'allow br0\nallow all\ndeny all\n', [/^1: .*"deny all" \(\/f:3\)/, /^2: .*"deny all"/]],
  [
    'allow all and a deny',
    'allow all\ndeny br0\n',
    [/^2: "deny br0" beside "allow all" \(\/f:1\) can be got around/],
  ],
  [
    'a comment behind',
    'allow br0 # mine\n',
    [/^1: "br0 # mine" is taken for a name: a comment needs a line/],
  ],
  ['two names', 'allow br0 br1\n', [/^1: "br0 br1" is taken for one name/]],
  ['ALL', 'allow ALL\n', [/^1: "ALL" is taken for a name; every bridge is "all"/]],
  ['no name', 'allow \n', [/^1: "allow" without a name matches nothing/]],
  ['a circle', 'include /f\n', [/^1: "include \/f" goes in a circle: the helper may crash/]],
  ['a relative include', 'include x\n', [/^1: "include x" is looked up where QEMU is started/]],
])('%s', (_, text, expected) => {
  expect(warnings(text)).toEqual(expected.map((one) => expect.stringMatching(one)));
});
