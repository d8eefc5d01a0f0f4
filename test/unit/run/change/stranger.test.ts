import { expect, test } from 'vitest';
import { planBridge } from '../../../../src/plan/bridge.ts';
import { makeDirectory, putFile } from '../../../../src/plan/files.ts';
import { setAttribute } from '../../../../src/plan/sysctl.ts';
import { apply } from '../../../../src/run/apply.ts';
import { release, undoChange } from '../../../../src/run/recover.ts';
import { FakeWorld } from '../../../fake-engine.ts';
import { LIFETIME } from './arbitrary.ts';

const ORDER = { title: 'test', lifetime: LIFETIME };
const RP_FILTER = '/proc/sys/net/ipv4/conf/lo/rp_filter';

/** Makes everything, lets a stranger do his part, takes it back. */
async function withStranger(
  part: (world: FakeWorld) => void,
): Promise<{ world: FakeWorld; said: readonly string[] }> {
  const world = new FakeWorld();
  const engine = world.engine();
  await apply(engine, ORDER, (facts) => ({
    steps: [
      ...planBridge({ name: 'br0', lifetime: LIFETIME }, facts).steps,
      setAttribute(RP_FILTER, '2', 'loosen the source check on lo'),
      makeDirectory('/etc/d'),
      putFile({ path: '/etc/d/a', content: 'ours\n' }),
    ],
  }));
  part(world);
  const { said, left } = await release(engine, LIFETIME);
  expect({ left, open: world.open }).toEqual({ left: [], open: [] });
  return { world, said };
}

test('a bridge that a stranger made after deleting ours stays', async () => {
  const { world, said } = await withStranger(({ host }) => {
    host.links.command(['link', 'delete', 'dev', 'br0']);
    host.links.command(['link', 'add', 'name', 'br0', 'type', 'bridge']);
  });
  expect(world.host.links.command(['link', 'show', 'dev', 'br0']).status).toBe(0);
  expect(said).toEqual(['left alone, it is not ours any more: br0 has no mark']);
});

test('ours without its mark stays: nothing proves it ours', async () => {
  const { world, said } = await withStranger(({ host }) =>
    host.links.command(['link', 'set', 'dev', 'br0', 'alias', 'mine']),
  );
  expect(world.host.links.command(['link', 'show', 'dev', 'br0']).status).toBe(0);
  expect(said).toEqual(['left alone, it is not ours any more: br0 is marked "mine"']);
});

test('a value that a stranger set stays', async () => {
  const { world, said } = await withStranger(({ host }) => host.links.write(RP_FILTER, '1'));
  expect(world.host.links.read(RP_FILTER)).toBe('1');
  expect(said).toEqual([`left alone: ${RP_FILTER} is 1, not the 2 we had set`]);
});

test('a file that a stranger wrote stays, and its directory with it', async () => {
  const { world, said } = await withStranger(({ host }) => host.files.stranger('/etc/d/a', 'theirs\n'));
  expect(world.host.files.capture('/etc/d/a')).toMatchObject({ content: 'theirs\n' });
  expect(said).toEqual([
    'left alone: /etc/d/a was changed since',
    'left alone: /etc/d holds files of others',
  ]);
});

test('a directory that a stranger made after removing ours stays', async () => {
  const { world } = await withStranger(({ host }) => {
    host.files.unlink('/etc/d/a');
    host.files.rmdir('/etc/d');
    host.files.mkdir('/etc/d', 0o755);
  });
  expect(world.host.files.stat('/etc/d')?.kind).toBe('directory');
});

test('what a stranger took away already is no failure', async () => {
  const { said } = await withStranger(({ host }) => {
    host.links.command(['link', 'delete', 'dev', 'br0']);
    host.links.write(RP_FILTER, '0');
    host.files.unlink('/etc/d/a');
    host.files.rmdir('/etc/d');
  });
  expect(said).toEqual([]);
});

test('over a file that was there before us, a stranger’s is a choice for a person: nothing is lost', async () => {
  const world = new FakeWorld();
  const engine = world.engine();
  world.host.files.stranger('/etc/a', 'first\n');
  await apply(engine, { ...ORDER, holder: 'until-undone', id: 'abc' }, () => ({
    steps: [putFile({ path: '/etc/a', content: 'ours\n' })],
  }));
  world.host.files.stranger('/etc/a', 'theirs\n');
  const { left, exit } = await undoChange(engine, 'abc');
  expect({ left, exit }).toMatchObject({
    exit: 6,
    left: [{ why: '/etc/a was changed since; to keep it as it is: qlaunch undo abc --forget' }],
  });
  expect(left[0]?.byHand).toContain("'first\n'");
  expect(world.open).toHaveLength(1);
});
