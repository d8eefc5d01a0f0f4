import { expect, test } from 'vitest';
import { readBridgeHelper, readDevices, readNames } from '../../../../../src/host/qemu/caps/answers.ts';
import { readSession } from '../../../../../src/host/qemu/caps/session.ts';

test('-netdev help and -display help are lists under a title, with prose around them', () => {
  const help = [
    'Available display backend types:',
    'none',
    'gtk',
    'egl-headless',
    '',
    'Some display backends support suboptions, which can be set with',
    '   -display backend,option=value,option=value...',
  ].join('\n');
  expect(readNames(help)).toEqual(['none', 'gtk', 'egl-headless']);
});

test('-device help gives names and aliases', () => {
  const help = [
    'Network devices:',
    'name "e1000", bus PCI, alias "e1000-82540em", desc "Intel Gigabit Ethernet"',
    'name "virtio-net-pci", bus PCI, alias "virtio-net"',
    'name "isa-debug-exit", bus ISA',
  ].join('\n');
  expect(readDevices(help)).toEqual([
    'e1000',
    'virtio-net-pci',
    'isa-debug-exit',
    'e1000-82540em',
    'virtio-net',
  ]);
});

test('-help names the bridge helper of this build', () => {
  const help = "                use network helper 'helper' (default=/usr/libexec/qemu-bridge-helper) to\n";
  expect(readBridgeHelper(help)).toBe('/usr/libexec/qemu-bridge-helper');
  expect(readBridgeHelper('nothing here')).toBeUndefined();
});

const session = (passt: object): string =>
  [
    { QMP: {} },
    { return: {} },
    { id: 'version', return: { qemu: { major: 10, minor: 1, micro: 0 }, package: '' } },
    { id: 'machines', return: [{ name: 'pc-q35-10.1', alias: 'q35' }, { name: 'none' }] },
    { id: 'options', return: [{ option: 'run-with', parameters: [{ name: 'user' }] }] },
    { id: 'accels', return: [{ name: 'kvm-accel' }, { name: 'accel' }, { name: 'tcg-accel' }] },
    { id: 'schema', return: [] },
    { id: 'passt', ...passt },
    { event: 'SHUTDOWN' },
  ]
    .map((line) => `${JSON.stringify(line)}\r\n`)
    .join('');

test('a session gives machines with their aliases, accelerators and option parameters', () => {
  expect(readSession(session({ return: {} }))).toMatchObject({
    machines: ['pc-q35-10.1', 'q35', 'none'],
    accels: ['kvm', 'tcg'],
    options: new Map([['run-with', ['user']]]),
  });
});

test.each([
  ["Parameter 'type' does not accept value 'passt'", false],
  ["network backend 'passt' is not compiled into this binary", false],
  ['Error creating daemon: Failed to execute child process', true],
])('passt, refused with "%s": %s', (desc, there) => {
  expect(readSession(session({ error: { class: 'GenericError', desc } }))?.passt).toBe(there);
});

test('an answer that is not QEMU’s is no answer', () => {
  expect(readSession('hello\n')).toBeUndefined();
});
