/** What is printed behind `try:` is typed as it stands. */
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { world } from '../../tiers/cli.ts';
import { guestCopy, guestFile } from '../../tiers/guest.ts';

const cures = (stderr: string): string[] =>
  [...stderr.matchAll(/^ {2}try: {5}(.*)$/gm)].map(([, text = '']) => text);

test('a word that is nothing gets the command it is like, and `run` never itself', async () => {
  const w = world();
  for (const word of ['run', 'nope'])
    expect(cures((await w.qlaunch('run', word)).stderr)).toEqual(['qlaunch help']);
  expect(cures((await w.qlaunch('pss')).stderr)).toEqual(['qlaunch ps']);
});

test('a missing CD is looked for, not made', async () => {
  const w = world();
  for (const args of [['nope.iso'], ['--cdrom', 'nope.iso']])
    expect(cures((await w.qlaunch(...args)).stderr)).toEqual([`ls ${w.dir}`]);
});

test('install --force takes the place of a disk, and only then', async () => {
  const w = world();
  const disk = join(w.dir, 'old.qcow2');
  writeFileSync(disk, 'precious');
  const args = [
    'install',
    '--cdrom',
    guestFile('guest.iso'),
    '--disk',
    disk,
    '--size',
    '64M',
    '-d',
    '--accel',
    'tcg',
  ];
  const refused = await w.qlaunch(...args);
  expect(refused).toMatchObject({ status: 3 });
  expect(cures(refused.stderr).join()).toContain('--force');
  expect(statSync(disk).size).toBe(8);
  expect(await w.qlaunch(...args, '--force')).toMatchObject({ status: 0 });
});

test('a disk of a running VM names the command that stops it', async () => {
  const w = world();
  const image = guestCopy(w.dir);
  await w.qlaunch(image, '-d', '-n', 'first', '--accel', 'tcg');
  const second = await w.qlaunch(image, '-d', '-n', 'second', '--accel', 'tcg');
  expect(second).toMatchObject({ status: 3 });
  expect(cures(second.stderr)).toEqual(['qlaunch stop first']);
});
