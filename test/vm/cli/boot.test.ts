import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { pidOf, programs, vmRow, type World, world } from '../../tiers/cli.ts';
import { consoleFile, type GuestConsole } from '../../tiers/console.ts';
import { guestCopy, guestFile } from '../../tiers/guest.ts';

const TCG = ['--accel', 'tcg', '-m', '256'];

async function detached(w: World, name: string, ...args: readonly string[]): Promise<GuestConsole> {
  expect(await w.qlaunch(...args, '-d', '-n', name, ...TCG)).toMatchObject({ status: 0, stderr: '' });
  return consoleFile(join((await vmRow(w, name)).dir, 'serial.log'));
}

test.each(programs)(
  'on a machine that nothing is known of yet, the accelerator is tried out (qlaunch for $label)',
  async ({ path }) => {
    const w = world(path);
    const image = guestCopy(w.dir);
    const first = await w.qlaunch(image, '-d', '-n', 'first', '--snapshot');
    expect(first).toMatchObject({ status: 0, stdout: expect.stringMatching(/^first is running/) });
    const { argv } = await vmRow(w, 'first');
    const accel = argv[argv.indexOf('-accel') + 1];
    // Where KVM is not taken, one line says why.
    expect(first.stderr === '' ? 'kvm' : 'tcg').toBe(accel);
  },
);

test('a profile: disks on every bus, two NICs, values of three sources', async () => {
  const w = world();
  for (const name of ['b', 'c', 'd'])
    execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', join(w.dir, name), '8M']);
  guestCopy(w.dir, 'a.qcow2');
  const profile = [
    '[vm]',
    'memory = 999M',
    'cpus = 2',
    ...[
      '[disk0]',
      'file = a.qcow2',
      '[disk1]',
      'file = b',
      'bus = scsi',
      '[disk2]',
      'file = c',
      'bus = nvme',
    ],
    ...[
      '[disk3]',
      'file = d',
      'bus = ide',
      '[net0]',
      'mode = user',
      '[net1]',
      'mode = user',
      'net = 10.9.0.0/24',
      'model = e1000',
    ],
  ];
  writeFileSync(join(w.dir, 'web.ini'), `${profile.join('\n')}\n`);
  const console = await detached(w, 'web', 'web');
  await console.waitFor('QLAUNCH-GUEST ready');
  for (const disk of ['vda', 'sda', 'sdb', 'nvme0n1'])
    expect(console.text()).toContain(`QLAUNCH-GUEST disk ${disk} `);
  expect(console.text()).toMatch(/nic eth\d \S+ 10\.0\.2\.15\/24/);
  expect(console.text()).toMatch(/nic eth\d \S+ 10\.9\.0\.15\/24/);
  const shown = await w.qlaunch('config', 'show', 'web', '-m', '256');
  expect(shown.stdout).toMatch(/memory +256 +--memory/);
  expect(shown.stdout).toMatch(/cpus +2 +\[vm\] cpus in \S*web\.ini:3/);
  expect(shown.stdout).toMatch(/machine +q35 +built-in default/);
});

test('UEFI with variables of its own, and a kernel given directly', async () => {
  const w = world();
  const kernel = [
    '--kernel',
    guestFile('vmlinuz'),
    '--initrd',
    guestFile('initrd'),
    '--append',
    'console=ttyS0 net.ifnames=0',
  ];
  const console = await detached(w, 'efi', '--uefi', ...kernel);
  await console.waitFor('QLAUNCH-GUEST ready');
  execFileSync(
    'sh',
    ['-c', `echo 'ls -d /sys/firmware/efi' | "$0" console efi`, join(process.cwd(), 'dist/bin/qlaunch')],
    {
      env: { ...process.env, ...w.env },
    },
  );
  await console.waitFor(/^\/sys\/firmware\/efi$/);
});

test('install: the CD once, then the disk; the disk keeps its format and the VM its MAC', async () => {
  const w = world();
  const disk = join(w.dir, 'new.qcow2');
  const console = await detached(
    w,
    'new',
    'install',
    '--cdrom',
    guestFile('guest.iso'),
    '--disk',
    disk,
    '--size',
    '64M',
  );
  await console.waitFor('QLAUNCH-GUEST installed vda');
  await console.waitFor('QLAUNCH-GUEST ready');
  const mac = /nic eth0 (\S+)/.exec(console.text())?.[1];
  expect(await w.qlaunch('stop', 'new')).toMatchObject({ status: 0 });
  const again = await detached(w, 'new', disk);
  await again.waitFor('QLAUNCH-GUEST ready');
  expect(again.text()).toContain(`nic eth0 ${mac} `);
  const once = await w.qlaunch('install', '--cdrom', guestFile('guest.iso'), '--disk', disk, '--size', '64M');
  expect(once.status).toBe(3);
  expect(once.stderr).toContain('will not overwrite');
});

test('root starts it for a user: QEMU, its files and its manners are the user’s', async () => {
  const w = world();
  const [nobody, nogroup] = [65534, 65534];
  chmodSync(w.dir, 0o711);
  const image = guestCopy(w.dir);
  chownSync(image, nobody, nogroup);
  const console = await detached(w, 'drop', image, '--run-as', 'nobody');
  const row = await vmRow(w, 'drop');
  const status = readFileSync(`/proc/${await pidOf(w, 'drop')}/status`, 'utf8');
  expect(status).toMatch(/^Uid:\t65534\t65534\t65534\t65534$/m);
  expect(status).toMatch(/^Gid:\t65534\t65534\t65534\t65534$/m);
  expect(status).toMatch(/^CapEff:\t0+$/m);
  for (const file of ['.', 'vm.json', 'serial.log', 'qemu.log', 'command.sock'])
    expect([file, statSync(join(row.dir, file)).uid]).toEqual([file, nobody]);
  await console.waitFor('QLAUNCH-GUEST ready');
  expect(await w.qlaunch('stop', 'drop')).toMatchObject({ status: 0, stderr: 'drop: shut down' });
  expect(console.text()).toContain('QLAUNCH-GUEST powering-off');
});
