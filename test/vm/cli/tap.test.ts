// needs: bridge, tap, veth
/** Taps that qlaunch makes for a VM: there before QEMU, gone after it, however it ended. */
import { execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { chownSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { differences, snapshot } from '../../snapshot.ts';
import { parentOf, pidOf, programs, userWorld, vmRow, type World, world } from '../../tiers/cli.ts';
import { consoleFile, type GuestConsole } from '../../tiers/console.ts';
import { guestCopy } from '../../tiers/guest.ts';
import { addressOf, HOST, lan, MTU, ports } from '../../tiers/lan.ts';
import { serveNonce } from '../../tiers/nonce.ts';
import { underQemus } from '../../tiers/qemus.ts';

const NOBODY = 65_534;
const TCG = ['--accel', 'tcg', '-m', '256'];

async function consoleOfVm(w: World, name: string): Promise<GuestConsole> {
  const console = consoleFile(join((await vmRow(w, name)).dir, 'serial.log'));
  await console.waitFor('QLAUNCH-GUEST ready');
  return console;
}

const opened = (w: World): readonly string[] =>
  ['journal', 'undo', 'shared'].flatMap((name) => {
    try {
      return readdirSync(join(w.dir, 'run', name));
    } catch {
      return [];
    }
  });

const childrenOf = (pid: number): readonly number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);

/** The guest took an address of the LAN, fetched our nonce and gives back another. */
async function talksTo(console: GuestConsole, nonce: string): Promise<void> {
  expect(console.text()).toContain(`QLAUNCH-GUEST fetched ${nonce}\n`);
  const guest = /QLAUNCH-GUEST nic eth0 \S+ (10\.77\.0\.\d+)\/24/.exec(console.text())?.[1];
  const back = randomUUID();
  expect(await (await fetch(`http://${guest}/cgi-bin/echo?${back}`)).text()).toContain(back);
}

async function fetching(): Promise<{ nonce: string; words: readonly string[] }> {
  const { nonce, port } = await serveNonce(HOST);
  return { nonce, words: ['--', '-fw_cfg', `name=opt/qlaunch/fetch,string=http://${HOST}:${port}/`] };
}

test.each(underQemus(programs))(
  'a guest on a tap of a foreign bridge talks, and leaves nothing (qlaunch for $ours.label, QEMU $qemu.label)',
  async ({ ours: { path }, qemu: { binary } }) => {
    await lan();
    const before = snapshot();
    const bridgeMac = addressOf('br0');
    const w = world(path);
    const { nonce, words } = await fetching();
    const args = [guestCopy(w.dir), '-n', 'web', '-d', '--qemu', binary, '--net', 'tap,bridge=br0', ...TCG];
    expect(await w.qlaunch(...args, ...words)).toMatchObject({ status: 0, stderr: '' });
    const console = await consoleOfVm(w, 'web');
    const port = { ifname: 'qt-web0', master: 'br0', mtu: MTU, state: 'forwarding' };
    expect(ports()).toContainEqual(expect.objectContaining(port));
    expect(addressOf('qt-web0')).toMatch(/^fe:71:6c:/);
    expect(addressOf('br0')).toBe(bridgeMac);
    await talksTo(console, nonce);
    const changes = JSON.parse((await w.qlaunch('changes', '--json')).stdout);
    expect(changes).toMatchObject([{ whose: 'vm web', holder: await pidOf(w, 'web'), decision: 'leave' }]);
    expect(await w.qlaunch('stop', 'web')).toMatchObject({ status: 0 });
    expect(opened(w)).toEqual([]);
    expect(differences(before, snapshot())).toEqual([]);
  },
);

test('QEMU runs as a user without rights, and opens the tap that is its own', async () => {
  await lan();
  const before = snapshot();
  const w = world();
  const image = guestCopy(w.dir);
  execFileSync('chmod', ['-R', 'a+rX', w.dir]);
  execFileSync('chown', ['nobody', image]);
  const args = [image, '-n', 'low', '-d', '--run-as', 'nobody', '--net', 'tap,bridge=br0', ...TCG];
  expect(await w.qlaunch(...args)).toMatchObject({ status: 0 });
  const console = await consoleOfVm(w, 'low');
  const pid = await pidOf(w, 'low');
  expect(readFileSync(`/proc/${pid}/status`, 'utf8')).toMatch(/^Uid:\t65534\t65534\t65534\t65534$/m);
  expect(readFileSync(`/proc/${pid}/status`, 'utf8')).toMatch(/^CapEff:\t0+$/m);
  expect(console.text()).toMatch(/QLAUNCH-GUEST nic eth0 \S+ 10\.77\.0\./);
  expect(await w.qlaunch('stop', 'low')).toMatchObject({ status: 0 });
  expect(opened(w)).toEqual([]);
  expect(differences(before, snapshot())).toEqual([]);
});

test('after a kill -9 of QEMU the guard takes the tap back at once', async () => {
  await lan();
  const before = snapshot();
  const w = world();
  expect(
    await w.qlaunch(guestCopy(w.dir), '-n', 'web', '-d', '--net', 'tap,bridge=br0', ...TCG),
  ).toMatchObject({ status: 0 });
  process.kill(await pidOf(w, 'web'), 'SIGKILL');
  await expect.poll(() => addressOf('qt-web0'), { timeout: 10_000 }).toBeUndefined();
  await expect.poll(() => opened(w)).toEqual([]);
  expect(await vmRow(w, 'web')).toMatchObject({ state: 'failed' });
  expect(differences(before, snapshot())).toEqual([]);
});

test('a waiter that is killed takes no tap from under the QEMU that lives', async () => {
  await lan();
  const before = snapshot();
  const w = world();
  const { nonce, words } = await fetching();
  const args = [guestCopy(w.dir), '-n', 'web', '-d', '--net', 'tap,bridge=br0', ...TCG];
  expect(await w.qlaunch(...args, ...words)).toMatchObject({ status: 0 });
  const console = await consoleOfVm(w, 'web');
  const qemu = await pidOf(w, 'web');
  const waiter = parentOf(qemu);
  const guard = parentOf(waiter);
  process.kill(waiter, 'SIGKILL');
  // The guard has seen it: it waits for something else, or is gone.
  await expect.poll(() => existsSync(`/proc/${guard}`) && childrenOf(guard).includes(waiter)).toBe(false);
  await expect.poll(() => !existsSync(`/proc/${guard}`) || childrenOf(guard).length === 1).toBe(true);
  await talksTo(console, nonce);
  expect(addressOf('qt-web0')).toBeDefined();
  expect(await vmRow(w, 'web')).toMatchObject({ state: 'running', pid: qemu });
  process.kill(qemu, 'SIGKILL');
  await expect.poll(() => opened(w), { timeout: 10_000 }).toEqual([]);
  expect(differences(before, snapshot())).toEqual([]);
});

test('a guard that is killed leaves the tap to QEMU, and what is left then to recover', async () => {
  await lan();
  const before = snapshot();
  const w = world();
  const args = [guestCopy(w.dir), '-n', 'web', '-d', '--net', 'tap,bridge=br0', ...TCG];
  expect(await w.qlaunch(...args)).toMatchObject({ status: 0 });
  const qemu = await pidOf(w, 'web');
  const waiter = parentOf(qemu);
  process.kill(parentOf(waiter), 'SIGKILL');
  process.kill(waiter, 'SIGKILL');
  // QEMU lives and holds it.
  expect((await w.qlaunch('recover')).stderr).toBe('nothing to take back');
  expect(addressOf('qt-web0')).toBeDefined();
  process.kill(qemu, 'SIGKILL');
  await expect.poll(async () => (await vmRow(w, 'web')).state).toBe('lost');
  expect(addressOf('qt-web0')).toBeDefined();
  expect(await w.qlaunch('recover')).toMatchObject({ status: 0 });
  expect(opened(w)).toEqual([]);
  expect(differences(before, snapshot())).toEqual([]);
});

test('what a dead start left is taken back by the next start of the same VM', async () => {
  await lan();
  const before = snapshot();
  const w = world();
  const args = [guestCopy(w.dir), '-n', 'web', '-d', '--net', 'tap,bridge=br0', ...TCG];
  expect(await w.qlaunch(...args)).toMatchObject({ status: 0 });
  const qemu = await pidOf(w, 'web');
  const waiter = parentOf(qemu);
  for (const pid of [parentOf(waiter), waiter, qemu]) process.kill(pid, 'SIGKILL');
  await expect.poll(async () => (await vmRow(w, 'web')).state).toBe('lost');
  expect(await w.qlaunch(...args)).toMatchObject({ status: 0 });
  expect(ports().filter(({ ifname }) => ifname.startsWith('qt-'))).toMatchObject([{ ifname: 'qt-web0' }]);
  expect(await w.qlaunch('kill', 'web')).toMatchObject({ status: 0 });
  expect(opened(w)).toEqual([]);
  expect(differences(before, snapshot())).toEqual([]);
});

test('a start that QEMU refuses takes its tap back', async () => {
  await lan();
  const before = snapshot();
  const w = world();
  const args = [guestCopy(w.dir), '-n', 'bad', '-d', '--net', 'tap,bridge=br0', ...TCG];
  const run = await w.qlaunch(...args, '--', '-device', 'no-such-device');
  expect(run.status).toBe(4);
  expect(run.stderr).toContain("'no-such-device' is not a valid device model name");
  expect(opened(w)).toEqual([]);
  expect(differences(before, snapshot())).toEqual([]);
});

test('a qlaunch that is killed at any moment of the start leaves a VM that runs, or nothing', async () => {
  await lan();
  const before = snapshot();
  const w = world();
  const args = [guestCopy(w.dir), '-n', 'cut', '-d', '--net', 'tap,bridge=br0', ...TCG];
  for (let delayMs = 60; delayMs <= 360; delayMs += 30) {
    const start = spawn(programs[0]?.path ?? '', args, {
      env: { ...process.env, ...w.env },
      stdio: 'ignore',
    });
    const ended = once(start, 'exit');
    setTimeout(() => start.kill('SIGKILL'), delayMs);
    await ended;
    const rows = JSON.parse((await w.qlaunch('ps', '--json')).stdout) as { state: string }[];
    if (rows.some(({ state }) => state === 'running' || state === 'starting')) {
      await expect.poll(async () => (await vmRow(w, 'cut')).state).toMatch(/running|lost/);
      await w.qlaunch('kill', 'cut');
    }
    const healed = await w.qlaunch('recover');
    expect({ delayMs, status: healed.status }).toEqual({ delayMs, status: 0 });
    await expect.poll(() => differences(before, snapshot()), { timeout: 5_000 }).toEqual([]);
    expect({ delayMs, opened: opened(w) }).toEqual({ delayMs, opened: [] });
  }
});

test('root prepares a tap once, and a user without rights starts on it again and again', async () => {
  await lan();
  const before = snapshot();
  const w = world();
  expect(await w.qlaunch('tap', 'add', 'mine', '--user', 'nobody', '--bridge', 'br0')).toMatchObject({
    status: 0,
  });
  const ready = snapshot();
  const user = userWorld();
  const image = guestCopy(user.dir);
  chownSync(image, NOBODY, NOBODY);
  for (let round = 1; round <= 2; round += 1) {
    expect(
      await user.qlaunch(image, '-n', 'own', '-d', '--net', 'tap:mine,bridge=br0', ...TCG),
    ).toMatchObject({ status: 0, stderr: '' });
    const console = await consoleOfVm(user, 'own');
    expect(console.text()).toMatch(/QLAUNCH-GUEST nic eth0 \S+ 10\.77\.0\./);
    expect((await w.qlaunch('tap', 'list')).stdout).toMatch(
      /^mine +nobody +br0 +in use +1 +qlaunch tap add$/m,
    );
    // What others use is not pulled from under them.
    expect(await w.qlaunch('tap', 'del', 'mine')).toMatchObject({ status: 3 });
    expect(await user.qlaunch('kill', 'own')).toMatchObject({ status: 0 });
    // The tap itself keeps what opening it brought: vnet_hdr, and a link-local address with its route.
    const others = differences(ready, snapshot()).filter((fact) => !/\bmine\b/.test(fact));
    expect(others).toEqual([]);
    expect(addressOf('mine')).toMatch(/^fe:71:6c:/);
  }
  expect((await w.qlaunch('recover')).stderr).toBe('nothing to take back');
  expect(await w.qlaunch('tap', 'del', 'mine')).toMatchObject({ status: 0 });
  expect(opened(w)).toEqual([]);
  expect(differences(before, snapshot())).toEqual([]);
});

test.each([
  ['another user’s tap', ['--user', 'daemon'], 'user nobody may not open the tap mine'],
  ['a tap for several queues', ['--user', 'nobody', '--queues', '2'], 'queues=1 does not fit the tap mine'],
])('%s is refused before QEMU starts', async (_what, options, words) => {
  const w = world();
  expect(await w.qlaunch('tap', 'add', 'mine', ...options)).toMatchObject({ status: 0 });
  const user = userWorld();
  const image = guestCopy(user.dir);
  chownSync(image, NOBODY, NOBODY);
  const run = await user.qlaunch(image, '-d', '--net', 'tap:mine', ...TCG);
  expect(run.status).toBe(3);
  expect(run.stderr).toContain(words);
  expect(await w.qlaunch('tap', 'del', 'mine')).toMatchObject({ status: 0 });
});

test('without rights nothing is made, and the line that has them is told', async () => {
  await lan();
  const before = snapshot();
  const user = userWorld();
  const image = guestCopy(user.dir);
  chownSync(image, NOBODY, NOBODY);
  const run = await user.qlaunch(image, '-d', '--net', 'tap,bridge=br0', ...TCG);
  expect(run.status).toBe(3);
  expect(run.stderr).toContain('make the tap qt-guest0 on br0');
  expect(run.stderr).toContain(`sudo ${user.dir}/bin/qlaunch ${image} -d --net tap,bridge=br0`);
  expect(await user.qlaunch('tap', 'add', 'x')).toMatchObject({ status: 3 });
  expect(differences(before, snapshot())).toEqual([]);
});

test('a tap of several queues gives the guest as many', async () => {
  await lan();
  const before = snapshot();
  const w = world();
  const net = 'tap,bridge=br0,queues=2';
  expect(await w.qlaunch(guestCopy(w.dir), '-n', 'mq', '-d', '-c', '2', '--net', net, ...TCG)).toMatchObject({
    status: 0,
  });
  const console = await consoleOfVm(w, 'mq');
  expect(console.text()).toMatch(/QLAUNCH-GUEST nic eth0 \S+ 10\.77\.0\./);
  const [link] = JSON.parse(execFileSync('ip', ['-d', '-j', 'link', 'show', 'qt-mq0'], { encoding: 'utf8' }));
  expect(link.linkinfo.info_data).toMatchObject({ multi_queue: true, numqueues: 2 });
  expect(await w.qlaunch('stop', 'mq')).toMatchObject({ status: 0 });
  expect(differences(before, snapshot())).toEqual([]);
});
