import { expect, test } from 'vitest';
import { putFile } from '../../../../src/plan/files.ts';
import { setAttribute } from '../../../../src/plan/sysctl.ts';
import { apply } from '../../../../src/run/apply.ts';
import { amendNetwork } from '../../../../src/run/nat/amend.ts';
import { openChanges, recover, release } from '../../../../src/run/recover.ts';
import { FakeWorld } from '../../../fake-engine.ts';

const LAB = { net: 'lab' };
const RP_FILTER = '/proc/sys/net/ipv4/conf/lo/rp_filter';

/** A network whose start wrote a rule into somebody's file. */
async function started(): Promise<FakeWorld> {
  const world = new FakeWorld();
  await apply(world.engine(), { title: 'net start lab', lifetime: LAB, holder: 'until-undone' }, () => ({
    steps: [putFile({ path: '/etc/rules', content: 'ours\n' })],
  }));
  world.killAll();
  return world;
}

const hasRule = ({ host }: FakeWorld): boolean => host.files.stat('/etc/rules') !== undefined;

test('what a network left in files of others is taken back once the machine was started anew, not before', async () => {
  const world = await started();
  expect((await recover(world.engine())).undone).toEqual([]);
  world.bootId = 'boot-2';
  expect((await recover(world.engine())).undone).toHaveLength(1);
  expect([hasRule(world), world.open]).toEqual([false, []]);
});

test('a journal of an earlier boot is not written on: what came later is taken back as well', async () => {
  const world = await started();
  world.bootId = 'boot-2';
  const before = await world.host.machine.read(RP_FILTER);
  await amendNetwork(world.engine(), 'lab', 'net check --fix lab', [
    setAttribute(RP_FILTER, '2', 'loosen it'),
  ]);
  world.killAll();
  expect(openChanges(world.engine()).map(({ change }) => change.journal?.head.bootId)).toEqual([
    'boot-1',
    'boot-2',
  ]);
  expect((await release(world.engine(), LAB)).undone).toHaveLength(2);
  expect(await world.host.machine.read(RP_FILTER)).toBe(before);
  expect([hasRule(world), world.open]).toEqual([false, []]);
});
