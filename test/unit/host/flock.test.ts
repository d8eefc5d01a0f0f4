import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { holdLock, withLock } from '../../../src/host/flock.ts';

let path: string;
beforeEach(() => {
  path = join(mkdtempSync(join(tmpdir(), 'qlaunch-flock-')), 'lock', 'host');
});
afterEach(() => rmSync(join(path, '../..'), { recursive: true }));

const NOW = { what: 'second', waitMs: 0 };

test('who comes second is told who was first', async () => {
  const lock = await holdLock(path, { what: 'net start default', waitMs: 0 });
  await expect(holdLock(path, NOW)).rejects.toMatchObject({
    code: 'QL_LOCKED',
    exit: 5,
    message: 'could not get the lock host for "second" within 0 s',
    why: [`"net start default" (pid ${process.pid}) has it`],
  });
  lock.release();
  (await holdLock(path, NOW)).release();
});

test('who waits gets it when it is free', async () => {
  const order: string[] = [];
  const first = await holdLock(path, NOW);
  const second = withLock(path, { what: 'second', waitMs: 5_000 }, async () => void order.push('second'));
  order.push('first');
  first.release();
  await second;
  expect(order).toEqual(['first', 'second']);
});

test('a child that was given the descriptor holds the lock on', async () => {
  const lock = await holdLock(path, { what: 'parent', waitMs: 0 });
  const child = spawn('sleep', ['60'], { stdio: ['ignore', 'ignore', 'ignore', lock.fd] });
  await new Promise((resolve) => child.once('spawn', resolve));
  lock.release();
  await expect(holdLock(path, NOW)).rejects.toMatchObject({
    why: [`"parent" (pid ${process.pid}) took it, and pid ${child.pid}, which it started, still has it`],
  });
  child.kill('SIGKILL');
  await new Promise((resolve) => child.once('exit', resolve));
  (await holdLock(path, NOW)).release();
});
