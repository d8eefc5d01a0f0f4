// needs: veth
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { which } from '../../../src/host/linux-files.ts';
import { programs, vmRow, world } from '../../tiers/cli.ts';
import { consoleFile } from '../../tiers/console.ts';
import { guestCopy } from '../../tiers/guest.ts';
import { serveNonce } from '../../tiers/nonce.ts';
import { freePort } from '../../tiers/port.ts';
import { qemus } from '../../tiers/qemus.ts';

/** passt copies the address and the route of the host: this namespace gets an uplink with both. */
beforeAll(() => {
  const ip = (line: string): void => void execFileSync('ip', line.split(' '));
  ip('netns add uplink');
  ip('link add up0 type veth peer name up1 netns uplink');
  ip('addr add 192.0.2.2/24 dev up0');
  ip('link set up0 up');
  ip('-n uplink addr add 192.0.2.1/24 dev up1');
  ip('-n uplink link set up1 up');
  ip('route add default via 192.0.2.1');
});

test.each(qemus)(
  'a guest behind passt has the host’s address, fetches and serves (QEMU $label)',
  async ({ binary }) => {
    const w = world();
    const served = await serveNonce();
    const port = await freePort();
    // passt sends what is for the gateway to the host's loopback.
    const fetchIt = ['--', '-fw_cfg', `name=opt/qlaunch/fetch,string=http://192.0.2.1:${served.port}/`];
    const net = `passt,fwd=${port}:80`;
    const started = await w.qlaunch(
      guestCopy(w.dir),
      '-d',
      '-n',
      'pa',
      '--accel',
      'tcg',
      '--qemu',
      binary,
      '--net',
      net,
      ...fetchIt,
    );
    expect(started).toMatchObject({ status: 0, stderr: '' });
    const { dir } = await vmRow(w, 'pa');
    const console = consoleFile(join(dir, 'serial.log'));
    await console.waitFor('QLAUNCH-GUEST ready');
    expect(console.text()).toMatch(/QLAUNCH-GUEST nic eth0 \S+ 192\.0\.2\.2\/24 192\.0\.2\.1\n/);
    expect(console.text()).toContain(`QLAUNCH-GUEST fetched ${served.nonce}\n`);
    const nonce = randomUUID();
    expect(await (await fetch(`http://127.0.0.1:${port}/cgi-bin/echo?${nonce}`)).text()).toContain(nonce);
    expect(await w.qlaunch('forward', 'add', 'pa', `${port + 1}:80`)).toMatchObject({
      status: 3,
      stderr: expect.stringContaining('passt is told them on its command line'),
    });
    expect((await vmRow(w, 'pa')).reason).toBeUndefined();
    // What a guest has lost is told, whoever ended it.
    const pid = Number(readFileSync(join(dir, 'passt-net0.pid'), 'utf8'));
    process.kill(pid, 'SIGKILL');
    await expect
      .poll(async () => (await vmRow(w, 'pa')).reason)
      .toMatch(/no network at net0: passt has ended/);
    await w.qlaunch('stop', 'pa');
    // passt leaves with QEMU, and takes its socket along.
    await expect.poll(() => passts(dir)).toEqual([]);
  },
);

test('a start that is killed between passt and QEMU is seen, and healed by recover', async () => {
  const w = world();
  const port = await freePort();
  // The real passt, at another socket than the one that is waited for: the start stands still right after it.
  mkdirSync(join(w.dir, 'bin'));
  const late = `#!/bin/sh\nfor word; do case $word in *.sock) word=$word.late ;; esac; set -- "$@" "$word"; shift; done\nexec ${which('passt')} "$@"\n`;
  writeFileSync(join(w.dir, 'bin/passt'), late, { mode: 0o755 });
  const args = [guestCopy(w.dir), '-n', 'cut', '--accel', 'tcg', '--net', `passt,fwd=${port}:80`];
  const env = { ...process.env, ...w.env, PATH: `${join(w.dir, 'bin')}:${process.env['PATH']}` };
  const start = spawn(programs[0]?.path ?? '', [...args, '-d'], { env, stdio: 'ignore' });
  const listening = async (): Promise<boolean> =>
    await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(200) }).then(
      () => true,
      (error) => !String(error.cause).includes('ECONNREFUSED'),
    );
  await expect.poll(listening, { timeout: 10_000 }).toBe(true);
  expect(await vmRow(w, 'cut')).toMatchObject({ state: 'starting' });
  start.kill('SIGKILL');
  await once(start, 'exit');
  const row = await vmRow(w, 'cut');
  expect(row).toMatchObject({ state: 'lost' });
  expect(row.reason).toMatch(/passt still runs \(pid \d+\): qlaunch recover/);
  expect((await w.qlaunch('recover', '--dry-run')).stdout).toMatch(/^# VM cut: end its passt\nkill \d+$/);
  const healed = await w.qlaunch('recover');
  expect(healed.status).toBe(0);
  expect(healed.stderr).toMatch(/VM cut: ended its passt \(pid \d+\)/);
  await expect.poll(() => passts(row.dir)).toEqual([]);
  expect((await w.qlaunch('recover')).stderr).toBe('nothing to take back');
  expect(await w.qlaunch(...args, '-d')).toMatchObject({ status: 0 });
});

test('a start that is killed there is healed by the next start as well', async () => {
  const w = world();
  const dir = join(w.dir, 'run/vm', String(process.getuid?.()), 'again');
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const file = join(dir, 'passt-net0');
  const waits = spawn('sh', ['-c', 'read forever', 'passt', '--log-file', `${file}.log`], { stdio: 'pipe' });
  const ended = once(waits, 'exit');
  writeFileSync(`${file}.pid`, `${waits.pid}\n`);
  expect(await w.qlaunch(guestCopy(w.dir), '-n', 'again', '--accel', 'tcg', '-d')).toMatchObject({
    status: 0,
  });
  expect(await ended).toEqual([null, 'SIGTERM']);
});

test('a passt that is not installed is found before anything starts', async () => {
  const w = world();
  const words = [programs[0]?.path ?? '', guestCopy(w.dir), '--accel', 'tcg', '--net', 'passt', '-d'];
  const hide = `mount --bind /dev/null ${which('passt')} && exec "$@"`;
  const env = { ...process.env, ...w.env };
  const { status, stderr } = spawnSync('unshare', ['-m', 'sh', '-c', hide, 'sh', ...words], {
    env,
    encoding: 'utf8',
  });
  expect(status).toBe(3);
  expect(stderr).toContain('--net passt needs the program passt');
});

test('without a default route passt’s words come with a cure', async () => {
  const w = world();
  const words = [programs[0]?.path ?? '', guestCopy(w.dir), '--accel', 'tcg', '--net', 'passt', '-d'];
  const { status, stderr } = spawnSync('unshare', ['-n', ...words], {
    env: { ...process.env, ...w.env },
    encoding: 'utf8',
  });
  expect(status).toBe(4);
  expect(stderr).toMatch(/could not start passt for net0.*External interface not usable.*--net user/s);
  expect((await w.qlaunch('ps', '--json')).stdout).toBe('[]');
});

function passts(dir: string): readonly string[] {
  const all = execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' }).split('\n');
  return all.filter((line) => line.startsWith('passt') && line.includes(dir) && existsSync(dir));
}
