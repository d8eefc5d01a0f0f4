import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { claimLaunch } from '../../../../src/host/vm/alive.ts';
import { FILES } from '../../../../src/plan/vm/waiter.ts';
import { alive, findVm, readStatus } from '../../../../src/run/vm/status.ts';
import { makeVm, runs, vmRoot } from './directory.ts';

test('no directory, or one without a record, is no VM', () => {
  const root = vmRoot();
  mkdirSync(join(root, 'bare'));
  expect(readStatus(join(root, 'none'))).toBeUndefined();
  expect(readStatus(join(root, 'bare'))).toBeUndefined();
  const foreign = makeVm(root, 'foreign');
  writeFileSync(join(foreign, FILES.record), '{"v":2}');
  expect(readStatus(foreign)).toBeUndefined();
});

test('from the launcher to the end: starting, running, and how it ended', async () => {
  const dir = makeVm(vmRoot(), 'web');
  claimLaunch(dir);
  expect(readStatus(dir)).toMatchObject({ state: 'starting' });
  const qemu = runs(dir, 'qemu');
  expect(readStatus(dir)).toMatchObject({ state: 'running', pid: qemu.pid });
  writeFileSync(join(dir, FILES.exit), '0\n');
  expect(readStatus(dir)).toEqual(expect.objectContaining({ state: 'ended', exit: 0, reason: 'shut down' }));
  expect(readStatus(dir)).not.toHaveProperty('pid');
});

test('a QEMU without a pid file yet, whose waiter lives, is starting; without both it is lost', async () => {
  const dir = makeVm(vmRoot(), 'web');
  const waiter = runs(dir, 'waiter');
  expect(readStatus(dir)).toMatchObject({ state: 'starting' });
  waiter.kill('SIGKILL');
  await once(waiter, 'exit');
  expect(readStatus(dir)).toMatchObject({
    state: 'lost',
    reason: expect.stringContaining('with its waiter'),
  });
});

test('a pid that is somebody else’s by now proves nothing', () => {
  const root = vmRoot();
  const dir = makeVm(root, 'web');
  runs(makeVm(root, 'other'), 'qemu');
  for (const pid of [String(process.pid), '1', '0', '-1', 'x', '']) {
    writeFileSync(join(dir, FILES.pid), pid);
    expect(readStatus(dir)).toMatchObject({ state: 'lost', reason: 'its start was interrupted' });
  }
});

test.each([
  ['137', '', 'killed by signal 9'],
  ['1', '', 'QEMU exited with 1'],
  ['1', 'warning: x\nqemu: no such disk\n', 'qemu: no such disk'],
])('exit %s with the log %j: %s', (exit, log, reason) => {
  const dir = makeVm(vmRoot(), 'web');
  writeFileSync(join(dir, FILES.exit), `${exit}\n`);
  writeFileSync(join(dir, FILES.qemuLog), log);
  const status = readStatus(dir);
  expect(status).toMatchObject({ state: 'failed', exit: Number(exit), reason });
  expect(status && alive(status)).toBe(false);
});

test.each(['{\n', '{"v":2}', ''])(
  'a record that says %j hides no running VM, nor how it ended',
  async (text) => {
    const dir = makeVm(vmRoot(), 'web');
    const qemu = runs(dir, 'qemu');
    writeFileSync(join(dir, FILES.record), text);
    expect(readStatus(dir)).toMatchObject({
      state: 'running',
      pid: qemu.pid,
      record: { name: 'web', uid: process.getuid?.(), socketDir: dir },
      reason: `its record ${join(dir, FILES.record)} can not be read`,
    });
    qemu.kill('SIGKILL');
    await once(qemu, 'exit');
    writeFileSync(join(dir, FILES.exit), '137\n');
    expect(readStatus(dir)).toMatchObject({
      state: 'failed',
      reason: expect.stringMatching(/^killed by signal 9; its record/),
    });
  },
);

describe('which VM a name means', () => {
  const uid = process.getuid?.() ?? 0;
  const user = { uid, gid: uid, name: 'u', home: '/home/u' };
  /** Two folders that hold VMs of one user, as /run/qlaunch/vm/UID and the user's own. */
  function two(): { find: (name: string) => string; first: string; second: string; place: string } {
    const place = vmRoot();
    // Root sees the folders of all users; whose a VM is, its directory tells.
    const roots = [String(uid), '4000000000'].map((name) => join(place, 'vm', name));
    for (const root of roots) mkdirSync(root, { recursive: true });
    const [first = '', second = ''] = roots.map((root) => makeVm(root, 'web'));
    const who = { user, root: true, dropTo: false };
    return { find: (name) => findVm(name, who, { QLAUNCH_RUNTIME_DIR: place }).dir, first, second, place };
  }

  test('the one that runs', () => {
    const { find, first, second } = two();
    writeFileSync(join(first, FILES.exit), '0\n');
    runs(second, 'qemu');
    expect(find('web')).toBe(second);
  });

  test('of two that run, or two that do not, none: their directories tell them apart', () => {
    const { find, first, second } = two();
    expect(() => find('web')).toThrow('"web" may be any of 2 VMs');
    runs(first, 'qemu');
    runs(second, 'qemu');
    expect(() => find('web')).toThrow(
      expect.objectContaining({ todo: [`qlaunch … ${first}`, `qlaunch … ${second}`] }),
    );
    expect(find(second)).toBe(second);
  });

  test('the only one', () => {
    const { find, first, second } = two();
    rmSync(first, { recursive: true });
    expect([find('web'), find(`${uid}/web`)]).toEqual([second, second]);
  });
});
