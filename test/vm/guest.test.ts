import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { consoleOf, type GuestConsole } from '../tiers/console.ts';
import { guestFile, guestOverlay, scratchDir } from '../tiers/guest.ts';
import { serveNonce } from '../tiers/nonce.ts';
import { qemus } from '../tiers/qemus.ts';

const BARE = [
  '-m',
  '256',
  '-nodefaults',
  '-no-user-config',
  '-display',
  'none',
  '-serial',
  'stdio',
  '-monitor',
  'none',
];
const DIRECT = [
  '-kernel',
  guestFile('vmlinuz'),
  '-initrd',
  guestFile('initrd'),
  '-append',
  'console=ttyS0 quiet net.ifnames=0',
];

interface Running {
  readonly console: GuestConsole;
  readonly child: ChildProcessWithoutNullStreams;
  readonly exited: Promise<unknown[]>;
}

function boot(binary: string, args: readonly string[]): Running {
  const child = spawn(binary, [...BARE, ...args]);
  const exited = once(child, 'exit');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  return { console: consoleOf(child.stdout, child.stdin), child, exited };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

describe.each(qemus)('the guest under QEMU $label', ({ label, binary }) => {
  test('boots from its disk, has an address, fetches and serves a nonce, and obeys the power button', async () => {
    const served = await serveNonce();
    const port = await freePort();
    const dir = scratchDir();
    const monitor = join(dir, 'qmp');
    const { console, exited } = boot(binary, [
      ...['-M', 'q35', '-drive', `file=${guestOverlay(dir)},format=qcow2,if=virtio`],
      ...[
        '-netdev',
        `user,id=n0,hostfwd=tcp:127.0.0.1:${port}-:80`,
        '-device',
        'virtio-net-pci,netdev=n0,mac=52:54:00:00:00:77',
      ],
      ...['-fw_cfg', `name=opt/qlaunch/fetch,string=http://10.0.2.2:${served.port}/`],
      ...['-fw_cfg', 'name=opt/qlaunch/hostname,string=smoke'],
      ...['-qmp', `unix:${monitor},server=on,wait=off`],
    ]);
    await console.waitFor('QLAUNCH-GUEST ready');
    expect(console.text()).toContain('QLAUNCH-GUEST nic eth0 52:54:00:00:00:77 10.0.2.15/24 10.0.2.2\n');
    expect(console.text()).toContain(`QLAUNCH-GUEST fetched ${served.nonce}\n`);
    const nonce = randomUUID();
    const answer = await fetch(`http://127.0.0.1:${port}/cgi-bin/echo?${nonce}`);
    expect(await answer.text()).toBe(`${nonce} smoke\n`);
    await console.waitFor(`QLAUNCH-GUEST served ${nonce}`);

    console.type('echo $((6 * 7)) is the answer');
    await console.waitFor('42 is the answer');
    await powerButton(monitor);
    await console.waitFor('QLAUNCH-GUEST powering-off');
    expect(await exited).toEqual([0, null]);
  });

  test('brings up each NIC model by DHCP, and says when nobody answers', async () => {
    const models = [
      'virtio-net-pci',
      'e1000',
      'e1000e',
      'rtl8139',
      'vmxnet3',
      ...(label === '10.x' ? ['igb'] : []),
    ];
    const nics = models.flatMap((model, index) => [
      ...['-netdev', `user,id=n${index},net=10.${50 + index}.0.0/24`],
      ...['-device', `${model},netdev=n${index},mac=52:54:00:00:01:0${index},romfile=`],
    ]);
    const alone = [
      '-netdev',
      'socket,id=alone,udp=127.0.0.1:9,localaddr=127.0.0.1:0',
      '-device',
      'e1000,netdev=alone,mac=52:54:00:00:02:00,romfile=',
    ];
    const { console } = boot(binary, [...DIRECT, ...nics, ...alone]);
    await console.waitFor('QLAUNCH-GUEST ready');
    for (const index of models.keys()) {
      expect(console.text()).toMatch(
        new RegExp(
          `QLAUNCH-GUEST nic eth\\d 52:54:00:00:01:0${index} 10\\.${50 + index}\\.0\\.15/24 10\\.${50 + index}\\.0\\.2\n`,
        ),
      );
    }
    expect(console.text()).toMatch(/QLAUNCH-GUEST nic eth\d 52:54:00:00:02:00 - -\n/);
  });
});

test('the CD installs itself on a blank disk, which then boots', async () => {
  const disk = join(scratchDir(), 'installed.qcow2');
  execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', disk, '64M']);
  const drive = ['-drive', `file=${disk},format=qcow2,if=virtio`];
  const { console, exited } = boot('qemu-system-x86_64', [
    ...drive,
    '-cdrom',
    guestFile('guest.iso'),
    '-boot',
    'd',
    '-no-reboot',
  ]);
  await console.waitFor('QLAUNCH-GUEST installed vda');
  await exited;
  const installed = boot('qemu-system-x86_64', drive);
  await installed.console.waitFor('QLAUNCH-GUEST disk vda 67108864');
  await installed.console.waitFor('QLAUNCH-GUEST ready');
});

/** Presses it over QMP. */
async function powerButton(path: string): Promise<void> {
  const socket = connect(path);
  socket.write('{"execute":"qmp_capabilities"}{"execute":"system_powerdown"}');
  for await (const chunk of socket) if (String(chunk).includes('POWERDOWN')) break;
}
