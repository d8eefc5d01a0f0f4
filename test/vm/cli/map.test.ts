// needs: bridge, tap, veth
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Board } from '../../../src/plan/map/board.ts';
import type { Device } from '../../../src/plan/map/device.ts';
import { vmRow, type World, world } from '../../tiers/cli.ts';
import { consoleFile } from '../../tiers/console.ts';
import { guestCopy } from '../../tiers/guest.ts';

const ip = (words: string): void => void execFileSync('ip', words.split(' '));
let dhcp: ChildProcess | undefined;

beforeAll(() => {
  ip('link add mapbr type bridge forward_delay 0');
  ip('address add 192.0.2.1/24 dev mapbr');
  ip('link set mapbr up');
  ip('tuntap add dev maptap0 mode tap');
  ip('tuntap add dev maptap1 mode tap');
  ip('link set maptap0 master mapbr up');
  ip('link set maptap1 master mapbr up');
  mkdirSync('/etc/qemu', { recursive: true });
  writeFileSync('/etc/qemu/bridge.conf', 'allow mapbr\n');
  mkdirSync('/var/lib/misc', { recursive: true });
  const args = ['--keep-in-foreground', '--conf-file=/dev/null', '--port=0', '--interface=mapbr'];
  const lease = ['--bind-interfaces', '--dhcp-range=192.0.2.50,192.0.2.99,1h', '--dhcp-authoritative'];
  const where = ['--dhcp-leasefile=/var/lib/misc/dnsmasq.leases', '--pid-file=', '--user=root'];
  dhcp = spawn('dnsmasq', [...args, ...lease, ...where], { stdio: 'ignore' });
});

afterAll(() => {
  dhcp?.kill();
});

async function board(w: World): Promise<Board> {
  const { stdout } = await w.qlaunch('map', '--json');
  return JSON.parse(stdout) as Board;
}

const portsOf = (all: Board): readonly Device[] =>
  all.bridges.find(({ name }) => name === 'mapbr')?.ports ?? [];

test('a guest on a prepared tap and on one of the bridge helper is drawn with its name, MAC and address', async () => {
  const w = world();
  const nets = ['--net', 'tap:maptap0', '--net', 'bridge:mapbr', '--net', 'user,fwd=127.0.0.1:2299:22'];
  const started = await w.qlaunch(guestCopy(w.dir), '-d', '-n', 'drawn', '--accel', 'tcg', ...nets);
  expect(started).toMatchObject({ status: 0 });
  const { dir, pid } = await vmRow(w, 'drawn');
  await consoleFile(join(dir, 'serial.log')).waitFor('QLAUNCH-GUEST ready');

  const seen = await board(w);
  const [first, second, user] = seen.vms.find(({ name }) => name === 'drawn')?.nics ?? [];
  expect(seen.vms).toMatchObject([{ name: 'drawn', state: 'running', pid }]);
  expect(first).toMatchObject({ id: 'net0', mode: 'tap', device: 'maptap0', bridge: 'mapbr' });
  expect(second).toMatchObject({ id: 'net1', mode: 'bridge', bridge: 'mapbr' });
  expect(user).toMatchObject({ mode: 'user', forwards: ['tcp 127.0.0.1:2299 to 22'] });
  expect(user).not.toHaveProperty('device');
  // The helper has chosen a name: it is known from QEMU's descriptor alone.
  const helper = portsOf(seen).find(({ guest }) => guest?.nic === 'net1');
  expect(helper?.name).toBe(second?.device);
  expect(helper?.name).toMatch(/^tap\d+$/);
  const port = portsOf(seen).find(({ name }) => name === 'maptap0');
  expect(port).toMatchObject({
    what: 'tap',
    state: 'up',
    guest: { vm: 'drawn', nic: 'net0', state: 'running', mac: first?.mac },
  });
  expect(port?.guest?.addresses.map(({ address }) => address)).toContainEqual(
    expect.stringMatching(/^192\.0\.2\.(5|6|7|8|9)\d$/),
  );
  const text = (await w.qlaunch('map')).stdout;
  expect(text).toMatch(/maptap0 [-─]+ drawn {2}net0[ ,·]+running/);
  expect(text).toContain('user network, no host port');

  await w.qlaunch('kill', 'drawn');
  expect(portsOf(await board(w)).find(({ name }) => name === 'maptap0')).not.toHaveProperty('guest');
});

test('a QEMU that somebody else started is named as the tap’s holder', async () => {
  const w = world();
  const pidFile = join(w.dir, 'pid');
  const net = ['-netdev', 'tap,id=n,ifname=maptap1,script=no,downscript=no'];
  const bare = ['-S', '-nodefaults', '-display', 'none', '-name', 'guest=by-hand', '-pidfile', pidFile];
  const qemu = spawn('qemu-system-x86_64', [...bare, ...net], { stdio: 'ignore' });
  const ended = once(qemu, 'close');
  try {
    await expect.poll(() => existsSync(pidFile)).toBe(true);
    const tap = portsOf(await board(w)).find(({ name }) => name === 'maptap1');
    expect(tap?.holder).toEqual({ pid: qemu.pid, program: 'qemu-system-x86_64', guest: 'by-hand' });
  } finally {
    qemu.kill('SIGKILL');
    await ended;
  }
});
