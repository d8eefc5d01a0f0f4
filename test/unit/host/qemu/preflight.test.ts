import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { renderError } from '../../../../src/errors.ts';
import { refusal } from '../../../../src/host/qemu/finding.ts';
import type { ImageTools } from '../../../../src/host/qemu/images.ts';
import { preflight } from '../../../../src/host/qemu/preflight.ts';
import type { UserNet } from '../../../../src/spec/net-spec.ts';
import type { DiskSpec, VmSpec } from '../../../../src/spec/vm-spec.ts';

const tools: ImageTools = {
  host: {
    run: async (argv) => {
      throw new Error(`ran ${argv.join(' ')}`);
    },
  },
  qemuImg: undefined,
  runAs: [],
};

function scratch(): string {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'preflight-')));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  return dir;
}

const disk = (id: string, file: string, more: Partial<DiskSpec> = {}): DiskSpec => ({
  id,
  file,
  bus: 'virtio',
  readOnly: false,
  ...more,
});

const spec = (more: Partial<VmSpec>): VmSpec => ({
  name: 'web',
  nameGiven: false,
  identity: 'web',
  machine: 'q35',
  accel: 'tcg',
  smp: { cpus: 1 },
  memoryMiB: 64,
  disks: [],
  hostdevs: [],
  cdroms: [],
  snapshot: false,
  boot: { menu: false },
  display: 'none',
  serial: { kind: 'none' },
  rng: false,
  balloon: false,
  nets: [],
  extra: [],
  ...more,
});

const userNet = (hostPort: number): UserNet => ({
  mode: 'user',
  id: 'net0',
  model: 'virtio',
  queues: 1,
  at: '--net user',
  dnsSearch: [],
  restrict: false,
  forwards: [{ proto: 'tcp', address: '127.0.0.1', hostPort, guestPort: 22 }],
  guestForwards: [],
});

test('everything that is wrong is found at once, and nothing is changed', async () => {
  const dir = scratch();
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  writeFileSync(join(dir, 'good.img'), Buffer.alloc(512));
  const { disks, findings } = await preflight(
    tools,
    spec({
      disks: [
        disk('disk0', join(dir, 'good.img')),
        disk('disk1', join(dir, 'none.img')),
        disk('disk2', join(dir, 'good.img'), { format: 'qcow2' }),
      ],
      cdroms: [join(dir, 'none.iso')],
      kernel: { kernel: join(dir, 'vmlinuz') },
      nets: [userNet(port)],
    }),
    { stateDir: join(dir, 'state'), sockets: [{ path: `/${'x'.repeat(110)}`, at: 'the monitor' }], uid: 0 },
  );
  expect([...disks.keys()]).toEqual(['disk0']);
  expect(findings.map(({ code }) => code)).toEqual([
    'QL_DISK_MISSING',
    'QL_DISK_FORMAT',
    'QL_DISK_MISSING',
    'QL_FILE',
    'QL_SOCKET_PATH',
    'QL_PORT_IN_USE',
  ]);
  const [first, ...others] = findings;
  if (!first) throw new Error('no finding');
  const text = renderError(refusal([first, ...others]));
  expect(text.split('\n')[0]).toBe('qlaunch: 6 things are in the way [QL_PREFLIGHT]');
  expect(text).toContain(`  because: there is no disk ${join(dir, 'none.img')}:`);
});

test('the same disk twice, unless both sides only read', async () => {
  const dir = scratch();
  const file = join(dir, 'a.img');
  writeFileSync(file, Buffer.alloc(512));
  const codes = async (more: Partial<VmSpec>): Promise<string[]> => {
    const places = { stateDir: join(dir, 'state'), sockets: [], uid: 0 };
    return (await preflight(tools, spec(more), places)).findings.map(({ code }) => code);
  };
  const twice = [disk('disk0', file), disk('disk1', file)];
  expect(await codes({ disks: twice })).toEqual(['QL_DISK_TWICE']);
  expect(await codes({ disks: twice, snapshot: true })).toEqual([]);
  const read = disk('disk1', file, { readOnly: true });
  expect(await codes({ disks: [disk('disk0', file), read] })).toEqual(['QL_DISK_TWICE']);
  expect(await codes({ disks: [disk('disk0', file, { readOnly: true }), read] })).toEqual([]);
});

test('a finding that stands alone keeps its own code and words', () => {
  const error = refusal([{ code: 'QL_X', what: 'no', why: ['because'], todo: ['do'] }]);
  expect(error).toMatchObject({ code: 'QL_X', message: 'no', why: ['because'], todo: ['do'] });
});

test('what QEMU would miss after its start: directories of a NIC, a ROM, UEFI variables, a serial file', async () => {
  const dir = scratch();
  writeFileSync(join(dir, 'file'), '');
  const find = async (more: Partial<VmSpec>): Promise<string[]> => {
    const places = { stateDir: join(dir, 'state'), sockets: [], uid: 0 };
    const { findings } = await preflight(tools, spec(more), places);
    return findings.map(({ what }) => what);
  };
  const net = { ...userNet(0), tftp: join(dir, 'none'), smb: join(dir, 'file'), romFile: join(dir, 'none') };
  expect(await find({ nets: [net] })).toEqual([
    'cannot read the file of --net user rom',
    'cannot use the directory of --net user tftp',
    'cannot use the directory of --net user smb',
  ]);
  expect(await find({ nets: [{ ...userNet(0), tftp: dir, romFile: '' }] })).toEqual([]);
  expect(await find({ uefi: { vars: join(dir, 'none') } })).toEqual(['cannot read the file of --uefi-vars']);
  expect(await find({ uefi: { vars: join(dir, 'file') } })).toEqual([]);
  expect(await find({ serial: { kind: 'file', path: dir } })).toEqual(['cannot write the file of --serial']);
});
