import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { claimLaunch } from '../../../../src/host/vm/alive.ts';
import { FILES } from '../../../../src/plan/vm/waiter.ts';
import { alive, readStatus } from '../../../../src/run/vm/status.ts';
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
