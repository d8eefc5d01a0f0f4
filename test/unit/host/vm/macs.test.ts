import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { holdLock } from '../../../../src/host/flock.ts';
import { readMacs, updateMacs, writeMacs } from '../../../../src/host/vm/macs.ts';

let state: string;
beforeEach(() => {
  const dir = mkdtempSync(join(tmpdir(), 'macs-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  state = join(dir, 'state');
});

test('starts at the same time lose none of each other’s MACs', async () => {
  const owners = Array.from({ length: 8 }, (_, n) => `1000:/vm${n}`);
  await Promise.all(
    owners.map((owner) => updateMacs(state, (macs) => ({ ...macs, [owner]: { net0: owner } }))),
  );
  expect(Object.keys(readMacs(state)).sort()).toEqual(owners);
  expect(readdirSync(state).sort()).toEqual(['macs.json', 'macs.lock']);
});

test('who changes the table has the lock', async () => {
  await updateMacs(state, (macs) => macs);
  const wish = { what: 'another start', waitMs: 0, dir: 'private' } as const;
  const lock = await holdLock(join(state, 'macs.lock'), wish);
  let changed = false;
  const change = updateMacs(state, (macs) => {
    changed = true;
    return macs;
  });
  writeMacs(state, { '1000:/a': { net0: 'a' } });
  expect(changed).toBe(false);
  lock.release();
  expect(await change).toEqual({ '1000:/a': { net0: 'a' } });
});

test('a change that is refused writes nothing', async () => {
  writeMacs(state, { '1000:/a': { net0: 'a' } });
  await expect(
    updateMacs(state, () => {
      throw new Error('taken');
    }),
  ).rejects.toThrow('taken');
  expect(readMacs(state)).toEqual({ '1000:/a': { net0: 'a' } });
  await updateMacs(state, () => ({}));
});

test.each(['null', '[]', '{', '{"a":1}', '{"a":{"net0":1}}'])(
  'a table that says %s is an empty one',
  (text) => {
    writeMacs(state, {});
    writeFileSync(join(state, 'macs.json'), text);
    expect(readMacs(state)).toEqual({});
  },
);

test('QEMU’s user passes through the folder, and reads nothing', () => {
  const before = process.umask(0o077);
  onTestFinished(() => void process.umask(before));
  writeMacs(state, {});
  expect([statSync(state).mode & 0o777, statSync(join(state, 'macs.json')).mode & 0o777]).toEqual([
    0o711, 0o600,
  ]);
});
