import { expect, test } from 'vitest';
import type { Step } from '../../../../src/plan/step.ts';
import { apply } from '../../../../src/run/apply.ts';
import { type Recovered, recover, release } from '../../../../src/run/recover.ts';
import { doomed, FakeWorld } from '../../../fake-engine.ts';

const load = (name: string): Step => ({
  title: `load the module ${name}`,
  do: { load: name },
  undo: { restore: true },
  deadlineMs: 1_000,
});

const use = (world: FakeWorld, vm: string, name: string = 'vfio-pci'): Promise<unknown> =>
  apply(world.engine(), { title: vm, lifetime: { vm } }, () => ({ steps: [load(name)] }));

function leave(world: FakeWorld, vm: string): Promise<Recovered> {
  world.killAll();
  return release(world.engine(), { vm });
}

test('a module goes with its last user', async () => {
  const world = new FakeWorld();
  const before = world.host.state();
  await use(world, 'a');
  await use(world, 'b');
  await leave(world, 'a');
  expect(world.host.modules.loaded.has('vfio_pci')).toBe(true);
  await leave(world, 'b');
  expect([world.host.state(), world.open]).toEqual([before, []]);
});

test('one that was loaded before stays', async () => {
  const world = new FakeWorld();
  world.host.modules.command(['vfio-pci']);
  await use(world, 'a');
  await leave(world, 'a');
  expect([world.host.modules.loaded.has('vfio_pci'), world.open]).toEqual([true, []]);
});

test('one that others use by now stays, and that is said', async () => {
  const world = new FakeWorld();
  await use(world, 'a');
  world.host.modules.loaded.set('vfio_pci', 1);
  expect((await leave(world, 'a')).said).toEqual(['left loaded: the module vfio-pci is in use']);
  expect([world.host.modules.loaded.has('vfio_pci'), world.open]).toEqual([true, []]);
});

test('one that does not exist is refused, and nothing is remembered of it', async () => {
  const world = new FakeWorld();
  await expect(use(world, 'a', 'nosuch')).rejects.toMatchObject({
    code: 'QL_STEP_REFUSED',
    why: ['modprobe: FATAL: Module nosuch not found in directory /lib/modules/6.18'],
  });
  expect(world.open).toEqual([]);
});

test.each([
  ['kill', true],
  ['kill', false],
  ['hang', true],
  ['hang', false],
] as const)('%s (effect: %s) at any touch, it is healed', async (kind, effect) => {
  for (let at = 1; at <= 8; at += 1) {
    const world = new FakeWorld();
    const before = world.host.state();
    const process = doomed(world.engine(), { kind, at, effect });
    const done = apply(process.engine, { title: 'a', lifetime: { vm: 'a' } }, () => ({
      steps: [load('tun')],
    }));
    await Promise.race([done.catch(() => undefined), process.died]);
    world.killAll();
    await recover(world.engine());
    expect([at, world.host.state(), world.open]).toEqual([at, before, []]);
  }
});
