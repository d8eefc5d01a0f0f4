// needs: bridge, tap
/** qlaunch tap add and del, whatever became of the tap in between. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { differences, type Snapshot, snapshot } from '../snapshot.ts';
import { programs, userWorld, type World, world } from '../tiers/cli.ts';

const ip = (line: string): void => void execFileSync('ip', line.split(' '));
const isThere = (name: string): boolean => spawnSync('ip', ['link', 'show', 'dev', name]).status === 0;

let w: World;
let before: Snapshot;
beforeEach(() => {
  if (!isThere('br0')) ip('link add br0 type bridge');
  ip('link set br0 up');
  w = world();
  before = snapshot();
});

/** A bridge is never again as before its first port: that has no addresses and no carrier. */
const changed = (): readonly string[] =>
  differences(before, snapshot()).filter((fact) => !/\bbr0\b/.test(fact));
const opened = (): readonly string[] =>
  existsSync(join(w.dir, 'run/journal')) ? readdirSync(join(w.dir, 'run/journal')) : [];
const add = async (...words: readonly string[]): Promise<void> => {
  expect(await w.qlaunch('tap', 'add', 't1', '--user', 'nobody', ...words)).toMatchObject({ status: 0 });
};

test('a tap whose predecessor somebody removed is removed, and both are forgotten', async () => {
  await add('--bridge', 'br0');
  ip('link del t1');
  await add('--bridge', 'br0');
  expect(JSON.parse((await w.qlaunch('tap', 'list', '--json')).stdout)).toMatchObject([{ name: 't1' }]);
  const dry = await w.qlaunch('tap', 'del', 't1', '--dry-run');
  expect(dry.stdout.match(/link delete dev t1/g)).toHaveLength(2);
  const deleted = await w.qlaunch('tap', 'del', 't1');
  expect(deleted.status).toBe(0);
  expect(deleted.stderr).not.toContain('left alone');
  expect(isThere('t1')).toBe(false);
  expect(opened()).toEqual([]);
  expect(changed()).toEqual([]);
});

test('one of another network namespace is not taken for ours', async () => {
  ip('netns add other');
  const inside = spawnSync(
    'ip',
    ['netns', 'exec', 'other', programs[0]?.path ?? '', 'tap', 'add', 't1', '--user', 'nobody'],
    { env: { ...process.env, ...w.env }, encoding: 'utf8' },
  );
  expect(inside).toMatchObject({ status: 0 });
  expect(await w.qlaunch('tap', 'del', 't1')).toMatchObject({ status: 2 });
  await add();
  expect(await w.qlaunch('tap', 'del', 't1')).toMatchObject({ status: 0 });
  expect(isThere('t1')).toBe(false);
  expect(spawnSync('ip', ['-n', 'other', 'link', 'show', 'dev', 't1']).status).toBe(0);
  ip('netns del other');
});

test('somebody else’s tap of that name stays, and how to forget ours is told', async () => {
  await add();
  ip('link del t1');
  ip('tuntap add t1 mode tap');
  const refused = await w.qlaunch('tap', 'del', 't1');
  expect(refused.status).toBe(3);
  expect(refused.stderr).toContain('somebody else made it');
  expect(JSON.parse((await w.qlaunch('tap', 'list', '--json')).stdout)[0]).not.toHaveProperty('change');
  const id = /sudo \S+ undo (\S+)/.exec(refused.stderr)?.[1] ?? '';
  expect(await w.qlaunch('undo', id)).toMatchObject({ status: 0 });
  expect(opened()).toEqual([]);
  expect(isThere('t1')).toBe(true);
  ip('link del t1');
});

test('one whose user gave it another address is ours all the same', async () => {
  await add('--bridge', 'br0');
  ip('link set t1 address 02:00:00:00:00:99');
  expect(await w.qlaunch('tap', 'del', 't1')).toMatchObject({ status: 0 });
  expect(isThere('t1')).toBe(false);
  expect(changed()).toEqual([]);
});

test.each(['a#b', 'a\\b', 'a\'b"c', 'q*'])(
  '%s is no name for one, and nothing is left open',
  async (name) => {
    const refused = await w.qlaunch('tap', 'add', name);
    expect(refused.status).toBe(2);
    expect(refused.stderr).toContain('QL_USAGE');
    expect((await w.qlaunch('tap', 'add', 't1', '--bridge', name)).status).toBe(name === 'q*' ? 3 : 2);
    expect(opened()).toEqual([]);
    expect(changed()).toEqual([]);
  },
);

test('a user without rights is told to be root, and may look at the steps for any user', async () => {
  const user = userWorld();
  const refused = await user.qlaunch('tap', 'add', 't1', '--user', 'daemon');
  expect(refused.status).toBe(3);
  expect(refused.stderr).toContain('QL_NEEDS_ROOT');
  expect(refused.stderr).toMatch(/try: +sudo \S+ tap add t1 --user daemon$/m);
  const dry = await user.qlaunch('tap', 'add', 't1', '--user', 'daemon', '--dry-run');
  expect(dry).toMatchObject({ status: 0 });
  expect(dry.stdout).toMatch(/mode tap user 1$/m);
  expect((await w.qlaunch('tap', 'add', 't1', '--user', 'no-such')).status).toBe(2);
});

test('a bridge of a name that no batch can be told: the hook says so, and touches nothing', async () => {
  execFileSync('ip', ['link', 'add', 'a#b', 'type', 'bridge']);
  ip('tuntap add t2 mode tap');
  const now = snapshot();
  const run = spawnSync('dist/bin/qemu-ifup', ['t2'], {
    env: { ...process.env, ...w.env, QLAUNCH_BRIDGE: 'a#b' },
    encoding: 'utf8',
  });
  expect(run.status).toBe(3);
  expect(run.stderr).toContain('QL_NOT_IN_BATCH');
  expect(run.stderr).not.toMatch(/^\s+at /m);
  expect(opened()).toEqual([]);
  expect(differences(now, snapshot())).toEqual([]);
  execFileSync('ip', ['link', 'del', 'a#b']);
  ip('link del t2');
});
