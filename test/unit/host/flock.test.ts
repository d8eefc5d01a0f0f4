import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { holdLock, withLock } from '../../../src/host/flock.ts';

let path: string;
beforeEach(() => {
  path = join(mkdtempSync(join(tmpdir(), 'qlaunch-flock-')), 'lock', 'host');
});
afterEach(() => rmSync(join(path, '../..'), { recursive: true }));

const NOBODY = 65_534;
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

test.each([0o755, 0o775])(
  'a VM’s lock is taken in a home whose folders have mode %s',
  async (mode: number) => {
    const home = join(path, '../..');
    chmodSync(home, mode);
    mkdirSync(join(path, '..'), { mode: 0o700 });
    (await holdLock(path, { ...NOW, dir: 'private' })).release();
  },
);

test('root takes the lock of a user’s VM, and leaves it to its user', async () => {
  chmodSync(join(path, '../..'), 0o711);
  mkdirSync(join(path, '..'));
  chownSync(join(path, '..'), NOBODY, NOBODY);
  const lock = await holdLock(path, { what: 'stop web', waitMs: 0, dir: 'private' });
  expect(statSync(path).uid).toBe(NOBODY);
  await expect(holdLock(path, { ...NOW, dir: 'private' })).rejects.toMatchObject({
    why: [`"stop web" (pid ${process.pid}) has it`],
  });
  lock.release();
});

test.each<[string, () => void]>([
  ['a directory that others may write', () => chmodSync(join(path, '..'), 0o777)],
  ['a file with a second name', () => linkSync(path, join(path, '../other'))],
  [
    'a FIFO',
    () => {
      rmSync(path);
      execFileSync('mknod', [path, 'p']);
    },
  ],
])('no lock is taken with %s', async (_what: string, spoil: () => void) => {
  mkdirSync(join(path, '..'), { mode: 0o700 });
  writeFileSync(path, 'precious');
  spoil();
  await expect(holdLock(path, { ...NOW, dir: 'private' })).rejects.toMatchObject({
    code: 'QL_STATE_UNSAFE',
    exit: 3,
  });
});

test('a link in the lock’s place is not followed', async () => {
  mkdirSync(join(path, '..'), { mode: 0o700 });
  writeFileSync(join(path, '../precious'), 'precious');
  symlinkSync('precious', path);
  await expect(holdLock(path, { ...NOW, dir: 'private' })).rejects.toThrow('ELOOP');
  expect(readFileSync(join(path, '../precious'), 'utf8')).toBe('precious');
});

test('the host’s lock still wants a directory that is ours alone', async () => {
  chmodSync(join(path, '../..'), 0o775);
  await expect(holdLock(path, NOW)).rejects.toMatchObject({ code: 'QL_STATE_UNSAFE' });
});
