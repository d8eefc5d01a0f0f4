import { expect, test } from 'vitest';
import type { Fix } from '../../../../src/plan/doctor/finding.ts';
import { loadModule } from '../../../../src/plan/doctor/steps.ts';
import { apply } from '../../../../src/run/apply.ts';
import { CHECKS, type CheckedFinding } from '../../../../src/run/doctor/checks.ts';
import { type Fixable, fixAll, fixable } from '../../../../src/run/doctor/fix.ts';
import { leftOverFindings } from '../../../../src/run/doctor/left-overs.ts';
import { MESSAGES } from '../../../../src/run/qemu/messages.ts';
import { undoChange } from '../../../../src/run/recover.ts';
import { FakeWorld } from '../../../fake-engine.ts';

const finding = (given: Partial<CheckedFinding>): CheckedFinding => ({
  ...{ id: 'x', state: 'problem', fact: 'wrong', looksAt: 'it', check: 'x' },
  ...given,
});
const order = {
  again: async ({ fix }: Fixable): Promise<Fix> => fix,
  onStep: (): void => undefined,
};
const TUN = { steps: [loadModule('tun')] };

test('only what is wrong is cured, and the same cure is done once', () => {
  const all = [
    finding({ id: 'a', fix: TUN }),
    finding({ id: 'b', fix: TUN }),
    finding({ id: 'c', state: 'ok', fix: { recover: true } }),
    finding({ id: 'd' }),
  ];
  expect(fixable(all).map(({ id }) => id)).toEqual(['a']);
});

test('a cure is a change that stays, and that can be undone; one that fails stops no other', async () => {
  const world = new FakeWorld();
  const before = world.host.state();
  const engine = world.engine();
  const cures = fixable([
    finding({ id: 'none', fix: { steps: [loadModule('no-such-module')] } }),
    finding({ id: 'tun', fix: TUN }),
  ]);
  const [failed, loaded] = await fixAll(engine, cures, order);
  expect(failed).toMatchObject({ id: 'none', failure: { code: 'QL_STEP_REFUSED' } });
  expect(loaded).toEqual({ id: 'tun', change: expect.stringMatching(/^[0-9a-f]{6}$/) });
  world.killAll();
  const later = world.engine();
  expect(leftOverFindings(later)).toMatchObject([{ state: 'ok' }]);
  expect(world.host.modules.loaded.has('tun')).toBe(true);
  await undoChange(later, loaded?.change ?? '');
  expect([world.host.state(), world.open]).toEqual([before, []]);
});

test('what is well by the time the lock is held is left alone', async () => {
  const world = new FakeWorld();
  const cures = fixable([finding({ id: 'tun', fix: TUN })]);
  expect(await fixAll(world.engine(), cures, { ...order, again: async () => undefined })).toEqual([
    { id: 'tun' },
  ]);
  expect([world.host.modules.loaded.size, world.open]).toEqual([0, []]);
});

test('what a killed run left is a problem, and --fix takes it back', async () => {
  const world = new FakeWorld();
  const before = world.host.state();
  await apply(world.engine(), { title: 'start web', lifetime: { vm: 'web' } }, () => TUN);
  world.killAll();
  const engine = world.engine();
  const [left] = leftOverFindings(engine);
  expect(left).toMatchObject({
    ...{ state: 'problem', fix: { recover: true } },
    fact: '"start web" (vm web) is still in place: nobody uses it any more',
  });
  expect(await fixAll(engine, fixable([finding(left ?? {})]), order)).toEqual([
    { id: 'left-overs', about: left?.about },
  ]);
  expect(leftOverFindings(engine)).toMatchObject([{ state: 'ok' }]);
  expect(world.host.state()).toBe(before);
});

test('what a living VM uses is no left-over', async () => {
  const world = new FakeWorld();
  const engine = world.engine();
  const holder = engine.world.self;
  await apply(engine, { title: 'start web', lifetime: { vm: 'web' }, holder }, () => TUN);
  expect(leftOverFindings(world.engine())).toMatchObject([{ state: 'ok' }]);
});

test('every row that a message of QEMU’s points to is there', () => {
  const pointed = MESSAGES.flatMap(({ check }) => (check === undefined ? [] : [check]));
  expect(pointed.length).toBeGreaterThan(5);
  expect(CHECKS.map(({ id }) => id)).toEqual(expect.arrayContaining(pointed));
});
