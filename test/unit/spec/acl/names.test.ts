import { expect, test } from 'vitest';
import { fromAclBytes, parseAclBridge, parseAclInclude, shown } from '../../../../src/spec/acl/names.ts';

test('names go into the list as UTF-8 and come back as they were', () => {
  expect(parseAclBridge('brücke')).toBe('br\u00c3\u00bccke');
  expect(fromAclBytes('br\u00c3\u00bccke')).toBe('brücke');
  expect(parseAclInclude('/etc/qemu/grün.conf')).toBe('/etc/qemu/gr\u00c3\u00bcn.conf');
  expect(shown({ rules: [{ bridge: 'br\u00c3\u00bc', line: 1 }], failure: null })).toEqual({
    rules: [{ bridge: 'brü', line: 1 }],
    failure: null,
  });
  expect(parseAclBridge('all')).toBe('all');
});

test.each([
  ['a line end', '/a\nallow all', /line end/],
  ['a NUL', '/a\0', /NUL/],
  ['a space at the end', '/a ', /white space/],
  ['more than the helper reads at once', `/${'x'.repeat(4000)}`, /longer than 4000 bytes/],
])('a path with %s can not be included', (_, path, what) => {
  expect(parseAclInclude(path)).toMatchObject({ what: expect.stringMatching(what) });
});
