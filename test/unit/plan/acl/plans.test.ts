import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { exampleAcl } from '../../../../src/plan/acl/example.ts';
import { newAclFile, replaceAclFile, usualMode } from '../../../../src/plan/acl/file.ts';
import { grantHelper, type HelperGrant } from '../../../../src/plan/acl/helper.ts';
import { renderPlan } from '../../../../src/plan/render.ts';
import { shellLine } from '../../../../src/plan/shell.ts';
import type { Step } from '../../../../src/plan/step.ts';

test('init writes the file that lies in the package', () => {
  const file = new URL('../../../../bridge.conf.example', import.meta.url);
  expect(exampleAcl()).toBe(readFileSync(file, 'utf8'));
});

test('the list is for those who may run the helper', () => {
  expect(usualMode(undefined)).toEqual({ mode: 0o644, owner: { uid: 0, gid: 0 } });
  expect(usualMode({ mode: 0o4755, gid: 0 })).toEqual({ mode: 0o644, owner: { uid: 0, gid: 0 } });
  expect(usualMode({ mode: 0o4750, gid: 36 })).toEqual({ mode: 0o640, owner: { uid: 0, gid: 36 } });
});

const lines = (steps: readonly Step[]): readonly string[] =>
  steps.flatMap((step) => ('run' in step.do ? [shellLine(step.do.run)] : []));
const undos = (steps: readonly Step[]): readonly string[] =>
  steps.flatMap((step) => ('run' in step.undo ? [shellLine(step.undo.run)] : [])).reverse();
const grant = (more: Partial<HelperGrant>): readonly Step[] =>
  grantHelper({
    path: '/h',
    uid: 0,
    gid: 0,
    mode: 0o755,
    group: 'kvm',
    groupGid: 36,
    override: null,
    ...more,
  });

test('Debian’s arrangement, and its way back', () => {
  expect(lines(grant({}))).toEqual([
    'dpkg-statoverride --add root kvm 4750 /h',
    'chown root:kvm /h',
    'chmod 4750 /h',
  ]);
  expect(undos(grant({}))).toEqual(['chmod 0755 /h', 'chown 0:0 /h', 'dpkg-statoverride --remove /h']);
});

test.each<[string, Partial<HelperGrant>, readonly string[]]>([
  ['without dpkg', { override: undefined }, ['chown root:kvm /h', 'chmod 4750 /h']],
  [
    'all is so already',
    { gid: 36, mode: 0o4750, override: { user: 'root', group: 'kvm', mode: '4750' } },
    [],
  ],
  ['only the mode is missing', { gid: 36, override: undefined }, ['chmod 4750 /h']],
  [
    'another group had it',
    { gid: 7, mode: 0o4750, override: { user: 'root', group: 'lp', mode: '4750' } },
    [
      'dpkg-statoverride --remove /h',
      'dpkg-statoverride --add root kvm 4750 /h',
      'chown root:kvm /h',
      // chown(2) has taken the set-id bits away.
      'chmod 4750 /h',
    ],
  ],
])('%s', (_, more, expected) => {
  expect(lines(grant(more))).toEqual(expected);
});

test('a list that is not UTF-8 is written byte for byte', () => {
  const step = replaceAclFile('/etc/qemu/bridge.conf', '# gr\u00fc\u00dfe\nallow br0\n', { mode: 0o644 });
  expect(step.do).toMatchObject({ base64: true, keep: true });
  expect(renderPlan({ steps: [step] })).toBe(
    '# write /etc/qemu/bridge.conf\nprintf %s IyBncvzfZQphbGxvdyBicjAK | (umask 077 && base64 -d > /etc/qemu/.bridge.conf.new)\n' +
      'cp --attributes-only --preserve=all /etc/qemu/bridge.conf /etc/qemu/.bridge.conf.new && touch /etc/qemu/.bridge.conf.new' +
      ' && chmod 0644 /etc/qemu/.bridge.conf.new && mv -f /etc/qemu/.bridge.conf.new /etc/qemu/bridge.conf\n',
  );
  expect(newAclFile('/etc/qemu/bridge.conf', 'x\n', { mode: 0o644 }).map(({ title }) => title)).toEqual([
    'make the directory /etc/qemu',
    'write /etc/qemu/bridge.conf',
  ]);
});
