/** What a busy or crowded host does to a VM. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { vmRow, world } from '../../tiers/cli.ts';
import { consoleFile } from '../../tiers/console.ts';
import { guestCopy } from '../../tiers/guest.ts';
import { qemus } from '../../tiers/qemus.ts';

const TCG = ['--accel', 'tcg', '-m', '256'];

test('where no byte is free any more, stop shuts a healthy guest down all the same', async () => {
  const w = world();
  const run = join(w.dir, 'run');
  mkdirSync(run, { mode: 0o711 });
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2M,mode=711', 'none', run]);
  onTestFinished(() => void execFileSync('umount', ['-l', run]));
  expect(await w.qlaunch(guestCopy(w.dir), '-n', 'full', '-d', ...TCG)).toMatchObject({ status: 0 });
  const { dir } = await vmRow(w, 'full');
  const console = consoleFile(join(dir, 'serial.log'));
  await console.waitFor('QLAUNCH-GUEST ready');
  expect(() => writeFileSync(join(run, 'filler'), Buffer.alloc(4 << 20))).toThrow('ENOSPC');
  expect(await w.qlaunch('stop', 'full')).toMatchObject({ status: 0 });
  expect(await vmRow(w, 'full')).toMatchObject({ state: 'ended', reason: 'shut down' });
});

test('of many starts of one VM at the same moment one wins, and the others say that it runs', async () => {
  const w = world();
  const image = guestCopy(w.dir);
  const starts = Array.from({ length: 6 }, () => w.qlaunch(image, '-n', 'one', '-d', ...TCG));
  const results = await Promise.all(starts);
  expect(results.map(({ status }) => status).sort()).toEqual([0, 3, 3, 3, 3, 3]);
  for (const { status, stderr } of results)
    if (status === 3) expect(stderr).toMatch(/a VM "one" is running already/);
});

test.each(qemus)(
  'a port that the kernel chose is told, and leads to the guest (QEMU $label)',
  async ({ binary }) => {
    const w = world();
    const net = 'user,fwd=0:80,fwd=udp:0:53';
    const started = await w.qlaunch(
      guestCopy(w.dir),
      '-n',
      'any',
      '-d',
      '--qemu',
      binary,
      '--net',
      net,
      ...TCG,
    );
    expect(started.status).toBe(0);
    const port = /tcp 127\.0\.0\.1:(\d+) -> guest 80/.exec(started.stdout)?.[1];
    expect(Number(port)).toBeGreaterThan(0);
    expect(started.stdout).toMatch(/udp 127\.0\.0\.1:[1-9]\d* -> guest 53/);
    const console = consoleFile(join((await vmRow(w, 'any')).dir, 'serial.log'));
    await console.waitFor('QLAUNCH-GUEST ready');
    expect(await (await fetch(`http://127.0.0.1:${port}/cgi-bin/echo?here`)).text()).toContain('here');
  },
);

test('a disk image on a state directory that cannot be made is one clear error', async () => {
  const w = world();
  const env = { ...w.env, QLAUNCH_STATE_DIR: '/proc/qlaunch/state', PATH: process.env['PATH'] ?? '' };
  const image = guestCopy(w.dir);
  const run = (): string =>
    execFileSync(join(import.meta.dirname, '../../../dist/bin/qlaunch'), [image, '-d', ...TCG], {
      env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 20_000,
    });
  expect(run).toThrow(/\/proc\/qlaunch/);
});
