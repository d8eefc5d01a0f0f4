import { expect, test } from 'vitest';
import type { QemuCaps } from '../../../../src/plan/qemu/caps.ts';
import type { NicContext } from '../../../../src/plan/qemu/context.ts';
import { requireSupport, unsupported } from '../../../../src/plan/qemu/support.ts';
import type { Mac } from '../../../../src/spec/mac.ts';
import { readSources } from '../../../../src/spec/sources.ts';
import { parseVmSpec } from '../../../../src/spec/vm.ts';
import type { VmSpec } from '../../../../src/spec/vm-spec.ts';

/** Debian 12's, as far as it matters. */
const caps: QemuCaps = {
  version: { major: 7, minor: 2, micro: 22 },
  netdevs: new Set(['user', 'tap', 'bridge', 'stream']),
  devices: new Set([
    'virtio-net-pci',
    'virtio-net-device',
    'virtio-blk-pci',
    'virtio-blk-device',
    'scsi-hd',
    'nvme',
    'ide-hd',
    'e1000',
    'vfio-pci',
  ]),
  machines: new Set(['q35', 'pc', 'microvm']),
  displays: new Set(['none']),
  features: new Set(),
};
const mac = '52:54:00:00:00:01' as Mac;

function spec(options: Record<string, unknown>): VmSpec {
  return parseVmSpec(readSources({ image: 'vm.img', options, extra: [], cwd: '/' }), { home: '/' });
}

function missing(
  options: Record<string, unknown>,
  nic: NicContext = { mac },
  has: Partial<QemuCaps> = {},
  vhostNet: boolean = false,
): string[] {
  const facts = { binary: 'qemu', caps: { ...caps, ...has }, nics: { net0: nic }, vhostNet };
  return unsupported(spec(options), facts).map(
    ({ at, what, hint }) => `${at}: ${what}${hint ? ` (${hint})` : ''}`,
  );
}

test.each<[Record<string, unknown>, string[]]>([
  [{}, []],
  [{ machine: 'microvm', kernel: 'k' }, []],
  [{ net: ['passt'] }, []],
  [{ net: ['tap:t0'] }, []],
  [{ net: ['tap,fd=3'] }, []],
  [{ net: ['tap,script=/up'] }, []],
  [{ net: ['user,model=igb'] }, ['--net: this QEMU has no device igb (igb is there since QEMU 8.0)']],
  [{ machine: 'pc-q35-9.2' }, ['--machine: this QEMU has no machine "pc-q35-9.2"']],
  [{ display: 'gtk' }, ['--display: this QEMU has no "gtk" (--vnc 1)']],
  [
    { net: ['tap'] },
    [
      '--net: this version does not make what a NIC of mode tap needs on the host (a tap that is there: tap:NAME,script=no)',
    ],
  ],
  [
    { net: ['nat'] },
    [
      '--net: this version does not make what a NIC of mode nat needs on the host (user, passt, bridge:BR or tap:NAME,script=no)',
    ],
  ],
  [
    { net: ['vfio:81:00.0'] },
    [
      '--net: this version does not make what a NIC of mode vfio needs on the host (user, passt, bridge:BR or tap:NAME,script=no)',
    ],
  ],
])('%j', (options, expected) => expect(missing(options)).toEqual(expected));

test('with the tap or the device of a host plan it is there', () => {
  expect(missing({ net: ['nat'] }, { mac, ifname: 'qn-0' })).toEqual([]);
  expect(missing({ net: ['vf:e0'] }, { mac, pci: '0000:81:00.0' as never })).toEqual([]);
});

test('vhost that can not be used is refused: an older QEMU would abort', () => {
  const refused = [
    '--net: vhost needs /dev/vhost-net, which can not be opened here (sudo modprobe vhost_net, or leave vhost= out)',
  ];
  for (const net of ['tap:t0,vhost=on', 'tap:t0,vhostforce=on', 'bridge,vhost=on']) {
    expect(missing({ net: [net] })).toEqual(refused);
    expect(missing({ net: [net] }, { mac }, {}, true)).toEqual([]);
  }
  expect(missing({ net: ['tap:t0,vhostfd=5'] })).toEqual([]);
});

test('a QEMU without slirp, or without stream', () => {
  const has = { netdevs: new Set(['tap']) };
  expect(missing({}, { mac }, has)).toEqual([
    'built-in default: this QEMU was built without "user" networks',
  ]);
  expect(missing({ net: ['passt'] }, { mac }, has)).toEqual([
    '--net: this QEMU was built without "stream" networks',
  ]);
});

test('all of it in one error', () => {
  const facts = { binary: 'qemu', caps, nics: {}, vhostNet: false };
  const wish = spec({ display: 'sdl', net: ['user,model=igb', 'nat'] });
  expect(() => requireSupport(wish, facts)).toThrow('asks for what is not there');
  expect(unsupported(wish, facts)).toHaveLength(3);
});

test('what to type lists what QEMU has, and nothing where it is not QEMU that lacks something', () => {
  const facts = { binary: '/opt/my qemu', caps, vhostNet: false, nics: { net0: { mac } } };
  const cure = (options: Record<string, unknown>): unknown => {
    try {
      requireSupport(spec(options), facts);
      return 'supported';
    } catch (error) {
      return (error as { todo: unknown }).todo;
    }
  };
  expect(cure({ machine: 'pc-q35-9.2', net: ['user,model=igb'] })).toEqual([
    "'/opt/my qemu' -machine help; '/opt/my qemu' -device help   # what this QEMU 7.2 has",
    '--qemu takes another one',
  ]);
  for (const net of ['tap', 'nat', 'vfio:81:00.0', 'vf:eth0']) expect(cure({ net: [net] })).toEqual([]);
});
