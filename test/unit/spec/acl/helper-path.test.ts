import { expect, test } from 'vitest';
import { aclPathOf, helperStrings } from '../../../../src/spec/acl/helper-path.ts';

const binary = (...texts: readonly string[]): string => `\u007fELF\0${texts.join('\0')}\0`;
const debian = binary(
  '/usr/lib/x',
  'failed to drop privileges',
  '/etc/qemu/bridge.conf',
  '/usr/bin',
  '/qemu-bundle',
);

test.each<[string, string, string, boolean, string]>([
  ['Debian', '/usr/lib/qemu/qemu-bridge-helper', debian, false, '/etc/qemu/bridge.conf'],
  [
    'a bundle beside it',
    '/opt/q/qemu-bridge-helper',
    debian,
    true,
    '/opt/q/qemu-bundle/etc/qemu/bridge.conf',
  ],
  [
    'a bundle that QEMU 7.0 does not look at',
    '/opt/q/qemu-bridge-helper',
    binary('/etc/qemu/bridge.conf', '/usr/bin'),
    true,
    '/etc/qemu/bridge.conf',
  ],
  [
    'below the prefix',
    '/usr/local/libexec/qemu-bridge-helper',
    binary('/usr/local/etc/qemu/bridge.conf', '/usr/local/bin', '/qemu-bundle'),
    false,
    '/usr/local/libexec/../etc/qemu/bridge.conf',
  ],
  [
    'NixOS',
    '/nix/store/abc-qemu-9/libexec/qemu-bridge-helper',
    binary('/nix/store/abc-qemu-9/etc/qemu/bridge.conf', '/nix/store/abc-qemu-9/bin'),
    false,
    '/nix/store/abc-qemu-9/libexec/../etc/qemu/bridge.conf',
  ],
  ['a wrapper that tells nothing', '/run/wrappers/bin/h', binary('x'), false, '/etc/qemu/bridge.conf'],
])('%s', (_, helper, text, bundle, expected) => {
  expect(aclPathOf(helper, helperStrings(text), bundle)).toBe(expected);
});

test('whether the helper reads the list as its caller', () => {
  expect(helperStrings(debian).dropsPrivileges).toBe(true);
  expect(helperStrings(binary('/etc/qemu/bridge.conf')).dropsPrivileges).toBe(false);
  expect(helperStrings(binary('a wrapper')).dropsPrivileges).toBe(true);
});
