// needs: iommu, modules, vfio
/** Guests of the lab that are given NICs of it. */
import { execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmodSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { parentOf, pidOf, userWorld, type World, world } from '../tiers/cli.ts';
import { byMac, noRouterAdvertisements, pciState } from './pci-state.ts';

const NIC = '52:54:00:00:00:11';
/** iPXE for this card: a guest small enough for an emulator in an emulator. From the package ipxe-qemu. */
const ROM = '/usr/lib/ipxe/qemu/pxe-e1000e.rom';

/** The directory is open, for QEMU runs as somebody who may enter no other. */
function lab(): World {
  noRouterAdvertisements();
  const w = world();
  chmodSync(w.dir, 0o755);
  onTestFinished(async () => void (await w.qlaunch('vfio', 'restore', '--all')));
  return w;
}

test('a guest exchanges a nonce through the NIC it was given, its QEMU without any right, and the host gets it back', async () => {
  const w = lab();
  const [nic, other] = [byMac(NIC), byMac('52:54:00:00:00:31')];
  execFileSync('ip', ['link', 'set', 'dev', other.name, 'up']);
  execFileSync('ip', ['address', 'add', '10.0.7.77/24', 'dev', other.name]);
  onTestFinished(() => {
    execFileSync('ip', ['address', 'flush', 'dev', other.name]);
    execFileSync('ip', ['link', 'set', 'dev', other.name, 'down']);
  });
  const { nonce, answered } = await networkBoot(other.name, w.dir);
  const before = pciState();

  const started = await w.qlaunch(
    ...[
      'run',
      '-d',
      '--name',
      'passed',
      '--run-as',
      'nobody',
      '--memory',
      '64',
      '--accel',
      'tcg',
      '--boot',
      'n',
    ],
    ...['--net', `vfio:${nic.name},rom=${ROM}`],
  );
  expect([started.status, started.stderr]).toEqual([0, expect.any(String)]);
  const qemu = await pidOf(w, 'passed');
  expect(readFileSync(`/proc/${qemu}/status`, 'utf8')).toMatch(/^Uid:\t65534\t65534/m);
  const { stdout } = await w.qlaunch('qmp', 'passed', 'query-pci');
  // 8086:10d3, behind the root port.
  expect(stdout.replaceAll(/\s/g, '')).toContain('"device":4307');
  const refused = await w.qlaunch('vfio', 'restore', nic.address);
  expect(refused).toMatchObject({
    status: 3,
    stderr: expect.stringMatching(new RegExp(`pid ${qemu} \\(qemu`)),
  });

  const kept = await w.qlaunch('vfio', 'restore', '--all');
  expect(kept).toMatchObject({
    status: 0,
    stderr: expect.stringContaining(`${nic.address} stays: pid ${qemu}`),
  });

  expect(await answered).toBe(`/${nonce}/${NIC}`);
  const killed = await w.qlaunch('kill', 'passed');
  expect([killed.status, killed.stderr]).toEqual([0, expect.stringContaining('passed: ')]);
  await expect.poll(() => pciState(), { timeout: 180_000, interval: 500 }).toEqual(before);
});

test('guard, waiter and QEMU all killed: restore gives the NIC back', async () => {
  const w = lab();
  const nic = byMac(NIC);
  const before = pciState();
  const start = ['run', '-d', '--name', 'killed', '--memory', '64', '--accel', 'tcg'];
  expect(await w.qlaunch(...start, '--net', `vfio:${nic.address}`, '--', '-S')).toMatchObject({ status: 0 });
  const qemu = await pidOf(w, 'killed');
  const waiter = parentOf(qemu);
  const pids = [parentOf(waiter), waiter, qemu];
  expect(pids.every((pid) => pid > 1)).toBe(true);
  for (const pid of pids) process.kill(pid, 'SIGKILL');
  await expect.poll(() => pids.some(isAlive)).toBe(false);
  expect(pciState()).not.toEqual(before);
  expect(await w.qlaunch('vfio', 'restore')).toMatchObject({ status: 0 });
  expect(pciState()).toEqual(before);
});

test('what root prepared is used without a right; what it lacks is told', async () => {
  const [w, user] = [lab(), userWorld()];
  const nic = byMac(NIC);
  const before = pciState();
  const start = ['run', '-d', '--name', 'own', '--memory', '64', '--accel', 'tcg'];
  const net = ['--net', `vfio:${nic.address}`, '--', '-S'];
  // Of this process and what it starts.
  const limit = (bytes: string): Buffer =>
    execFileSync('prlimit', ['--pid', `${process.pid}`, `--memlock=${bytes}:${bytes}`]);
  limit('unlimited');
  expect(await user.qlaunch(...start, ...net)).toMatchObject({
    status: 3,
    stderr: expect.stringMatching(/vfio-pci[\s\S]*sudo \S+\/qlaunch run -d --name own/),
  });
  expect(await w.qlaunch('vfio', 'bind', nic.name, '--user', 'nobody')).toMatchObject({ status: 0 });
  limit('65536');
  onTestFinished(() => void limit('unlimited'));
  expect(await user.qlaunch(...start, ...net)).toMatchObject({
    status: 3,
    stderr: expect.stringMatching(/1140850688 bytes locked[\s\S]*the limit is 65536[\s\S]*limits\.d/),
  });
  limit('unlimited');
  const started = await user.qlaunch(...start, ...net);
  expect([started.status, started.stderr]).toEqual([0, expect.any(String)]);
  // Not twice at a time.
  const again = await w.qlaunch('run', '-d', '--name', 'other', ...start.slice(4), ...net);
  expect(again).toMatchObject({
    status: 3,
    stderr: expect.stringMatching(/pid \d+ \(qemu\S*\) has IOMMU group/),
  });
  expect(await user.qlaunch('kill', 'own')).toMatchObject({ status: 0 });
  expect(await w.qlaunch('vfio', 'restore', nic.name)).toMatchObject({ status: 0 });
  expect(pciState()).toEqual(before);
});

test('half a group is refused before anything is touched; group=on takes it all', async () => {
  const w = lab();
  const [one, other] = [byMac('52:54:00:00:00:21'), byMac('52:54:00:00:00:22')];
  const before = pciState();
  const start = ['run', '-d', '--name', 'half', '--memory', '64', '--accel', 'tcg'];
  const refused = await w.qlaunch(...start, '--net', `vfio:${one.address}`, '--', '-S');
  expect(refused).toMatchObject({ status: 3, stderr: expect.stringContaining(other.address) });
  expect(pciState()).toEqual(before);
  const started = await w.qlaunch(...start, '--net', `vfio:${one.address},group=on`, '--', '-S');
  expect(started).toMatchObject({ status: 0 });
  await w.qlaunch('kill', 'half');
  await expect.poll(() => pciState(), { timeout: 180_000, interval: 500 }).toEqual(before);
});

function isAlive(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
}

/** Sends whoever boots from the network of `dev` on to an address that has a nonce in it, and their own MAC. */
async function networkBoot(
  dev: string,
  dir: string,
): Promise<{ readonly nonce: string; readonly answered: Promise<string> }> {
  const nonce = randomUUID();
  const [address, port] = ['10.0.7.77', 8077];
  let answer: (url: string) => void = () => undefined;
  const answered = new Promise<string>((resolve) => {
    answer = resolve;
  });
  const server = createServer(({ url = '' }, response) => {
    if (url !== '/start') answer(decodeURIComponent(url));
    response.end(`#!ipxe\nchain http://${address}:${port}/${nonce}/\${net0/mac}\n`);
  });
  await new Promise<void>((resolve) => server.listen(port, address, resolve));
  const dhcp = spawn('dnsmasq', [
    ...['--no-daemon', '--conf-file=/dev/null', '--user=root', '--port=0', `--dhcp-leasefile=${dir}/leases`],
    ...[`--interface=${dev}`, '--bind-interfaces', '--dhcp-range=10.0.7.100,10.0.7.150'],
    `--dhcp-boot=http://${address}:${port}/start`,
  ]);
  onTestFinished(() => {
    dhcp.kill();
    server.closeAllConnections();
    server.close();
  });
  return { nonce, answered };
}
