// needs: bridge, nft_inet, nft_nat, veth
/** dnsmasq of a network: beside another name server, after a reboot, and with many guests at once. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { differences, snapshot } from '../../snapshot.ts';
import { type World, world } from '../../tiers/cli.ts';
import { station } from '../../tiers/station.ts';

// A busy machine is no failure.
vi.setConfig({ testTimeout: 90_000 });

async function lab(): Promise<World> {
  const w = world();
  onTestFinished(async () => void (await w.qlaunch('net', 'stop', 'lab', '--force')));
  const words = ['--subnet', '10.95.0.0/24', '--bridge', 'lab0'];
  expect(await w.qlaunch('net', 'create', 'lab', ...words)).toMatchObject({ status: 0 });
  return w;
}

/** A server that has its port on every address. Gives its pid. */
async function occupy(...words: readonly string[]): Promise<number> {
  const other = spawn('dnsmasq', [
    '-k',
    '--conf-file=/dev/null',
    '--user=root',
    '--pid-file=',
    '--no-resolv',
    ...words,
  ]);
  await once(other, 'spawn');
  onTestFinished(async () => {
    if (other.exitCode !== null) return;
    other.kill();
    await once(other, 'exit');
  });
  return other.pid ?? 0;
}

const listens = (port: number): boolean =>
  execFileSync('ss', ['-Hlnu', 'sport', '=', `:${port}`], { encoding: 'utf8' }) !== '';

test('port 53 is somebody else’s: he is named, and DHCP is ours all the same', async () => {
  const w = await lab();
  const before = snapshot();
  const pid = await occupy('--address=/x.example/192.0.2.7', '--no-hosts');
  await expect.poll(() => listens(53), { timeout: 10_000 }).toBe(true);
  const conf = (): string => readFileSync(join(w.dir, 'run/net/lab.conf'), 'utf8');
  const started = await w.qlaunch('net', 'start', 'lab');
  expect(started).toMatchObject({
    status: 0,
    stderr: expect.stringContaining(`port 53 is taken by dnsmasq (pid ${pid}) on 0.0.0.0:53`),
  });
  expect(conf()).toContain('dhcp-option=option:dns-server,10.95.0.1\n');
  const guest = station('guest', 'lab0');
  expect(guest.dhcp() ?? guest.dhcp()).toMatch(/^10\.95\.0\./);
  expect(guest.resolve('x.example', '10.95.0.1')).toEqual(['192.0.2.7']);
  // What is written anew still knows it.
  const host = ['--host', '52:54:00:00:00:05,10.95.0.5'];
  expect(await w.qlaunch('net', 'update', 'lab', ...host)).toMatchObject({ status: 0 });
  expect(conf()).toMatch(/52:54:00:00:00:05[\s\S]*\nport=0\n/);
  expect(await w.qlaunch('net', 'check', 'lab')).toMatchObject({ status: 0 });
  expect(await w.qlaunch('net', 'stop', 'lab', '--force')).toMatchObject({ status: 0 });
  execFileSync('ip', ['link', 'delete', 'dev', 'guest0']);
  expect(await w.qlaunch('net', 'start', 'lab', '--dns', 'off')).toMatchObject({ status: 0 });
  expect(conf()).not.toContain('dns-server');
  // As it was started.
  expect(await w.qlaunch('net', 'restart', 'lab')).toMatchObject({ status: 0 });
  expect(conf()).toMatch(/\nport=0\n/);
  expect(conf()).not.toContain('dns-server');
  expect(await w.qlaunch('net', 'stop', 'lab')).toMatchObject({ status: 0 });
  expect(differences(before, snapshot())).toEqual([]);
});

test('port 67 is somebody else’s: he is named, and nothing is left', async () => {
  const w = await lab();
  const before = snapshot();
  // Bound without SO_REUSEADDR, as servers do that want to be the only one.
  const script = `require('node:dgram').createSocket('udp4').bind({ port: 67, exclusive: true }, () => console.log('ready'))`;
  const other = spawn(process.execPath, ['-e', script]);
  onTestFinished(() => void other.kill());
  await once(other.stdout, 'data');
  const refused = await w.qlaunch('net', 'start', 'lab');
  expect(refused).toMatchObject({
    status: 4,
    stderr: expect.stringContaining(`(pid ${other.pid}) on 0.0.0.0:67`),
  });
  expect(differences(before, snapshot())).toEqual([]);
});

test('after a reboot nothing of it is left in /run: started anew, and guests keep their addresses', async () => {
  const w = await lab();
  const before = snapshot();
  expect(await w.qlaunch('net', 'start', 'lab')).toMatchObject({ status: 0 });
  const guest = station('guest', 'lab0');
  const address = guest.dhcp() ?? guest.dhcp();
  expect(address).toMatch(/^10\.95\.0\./);
  const { dnsmasqPid } = JSON.parse((await w.qlaunch('net', 'info', 'lab', '--json')).stdout);
  expect(dnsmasqPid).toBeGreaterThan(1);
  process.kill(dnsmasqPid, 'SIGKILL');
  while (existsSync(`/proc/${dnsmasqPid}/exe`)) await sleep(20);
  for (const line of [
    'ip link delete dev lab0',
    'nft delete table inet qlaunch_lab',
    'sysctl -qw net.ipv4.ip_forward=0',
  ])
    execFileSync('sh', ['-c', line]);
  rmSync(join(w.dir, 'run'), { recursive: true });
  expect(await w.qlaunch('net', 'start', 'lab')).toMatchObject({ status: 0, stderr: '' });
  execFileSync('ip', ['link', 'set', 'dev', 'guest0', 'master', 'lab0']);
  expect(guest.dhcp() ?? guest.dhcp()).toBe(address);
  expect(await w.qlaunch('net', 'stop', 'lab', '--force')).toMatchObject({ status: 0 });
  execFileSync('ip', ['link', 'delete', 'dev', 'guest0']);
  expect(differences(before, snapshot())).toEqual([]);
});

/** Fifty clients in one process: RFC 2131's four messages, asked again every two seconds. Prints who got what. */
const CLIENTS = `
  const socket = require('node:dgram').createSocket('udp4');
  const COUNT = 50, got = new Map(), offered = new Map();
  const message = (n, type, more = []) => {
    const packet = Buffer.alloc(240);
    packet.set([1, 1, 6, 0]);
    packet.writeUInt32BE(0x51000000 + n, 4);
    packet.writeUInt16BE(0x8000, 10);
    packet.set([0x52, 0x54, 0, 0x77, 0, n], 28);
    packet.set([99, 130, 83, 99], 236);
    return Buffer.concat([packet, Buffer.from([53, 1, type, ...more, 255])]);
  };
  const send = (n) => {
    const offer = offered.get(n);
    const words = offer === undefined ? [1] : [3, [50, 4, ...offer.yours, 54, 4, ...offer.server]];
    socket.send(message(n, ...words), 67, '255.255.255.255');
  };
  const ask = () => {
    for (let n = 1; n <= COUNT; n += 1) if (!got.has(n)) send(n);
  };
  socket.on('message', (packet) => {
    const n = packet.readUInt32BE(4) - 0x51000000;
    const options = new Map();
    for (let at = 240; packet[at] !== 255 && at < packet.length; at += 2 + packet[at + 1])
      options.set(packet[at], packet.subarray(at + 2, at + 2 + packet[at + 1]));
    const type = options.get(53)?.[0];
    if (type === 2 && !offered.has(n)) {
      offered.set(n, { yours: packet.subarray(16, 20), server: options.get(54) });
      send(n);
    }
    if (type === 5) got.set(n, packet.subarray(16, 20).join('.'));
    if (got.size === COUNT) {
      console.log(JSON.stringify([...got.values()]));
      process.exit(0);
    }
  });
  socket.bind(68, '0.0.0.0', () => {
    socket.setBroadcast(true);
    ask();
    setInterval(ask, 2000);
    setTimeout(() => process.exit(1), 90000);
  });
`;

test('fifty guests at once get fifty addresses', async () => {
  const w = await lab();
  expect(await w.qlaunch('net', 'start', 'lab')).toMatchObject({ status: 0 });
  const crowd = station('crowd', 'lab0');
  crowd.run('ip', 'route', 'add', 'default', 'dev', 'eth0');
  const { stdout } = spawnSync('ip', ['netns', 'exec', 'crowd', process.execPath, '-e', CLIENTS], {
    encoding: 'utf8',
  });
  const addresses = JSON.parse(stdout || '[]') as readonly string[];
  expect(new Set(addresses).size).toBe(50);
  const leases = JSON.parse((await w.qlaunch('net', 'leases', 'lab', '--json')).stdout) as {
    address: string;
  }[];
  expect(leases.map(({ address }) => address).sort()).toEqual([...addresses].sort());
}, 120_000);
