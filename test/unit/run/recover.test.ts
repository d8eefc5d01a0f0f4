import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { planBridge } from '../../../src/plan/bridge.ts';
import { putFile } from '../../../src/plan/files.ts';
import type { Lifetime } from '../../../src/plan/lifetime.ts';
import { setAttribute } from '../../../src/plan/sysctl.ts';
import { apply } from '../../../src/run/apply.ts';
import type { Holder } from '../../../src/run/journal/entry.ts';
import type { Journal } from '../../../src/run/journal/journal.ts';
import { openChanges, recover, release, undoChange } from '../../../src/run/recover.ts';
import { doomed, FakeWorld } from '../../fake-engine.ts';

const RP_FILTER = '/proc/sys/net/ipv4/conf/lo/rp_filter';

function make(world: FakeWorld, lifetime: Lifetime, holder: Holder = null): Promise<Journal> {
  return apply(world.engine(), { title: 'test', lifetime, holder }, (facts) => ({
    steps: [
      ...planBridge({ name: 'br0', lifetime }, facts).steps,
      setAttribute(RP_FILTER, '2', 'loosen the source check on lo'),
      putFile({ path: '/etc/a', content: 'ours\n' }),
    ],
  }));
}

const hasBridge = ({ host }: FakeWorld): boolean =>
  host.links.command(['link', 'show', 'dev', 'br0']).status === 0;
const hasFile = ({ host }: FakeWorld): boolean => host.files.stat('/etc/a') !== undefined;

describe('who keeps a change', () => {
  test('its actor, as long as he lives', async () => {
    const world = new FakeWorld();
    await make(world, { vm: 'web' });
    expect((await recover(world.engine())).undone).toEqual([]);
    expect(openChanges(world.engine())).toMatchObject([
      { decision: { kind: 'leave', why: 'pid 101 is at work on it' } },
    ]);
    world.killAll();
    expect((await recover(world.engine())).undone).toHaveLength(1);
    expect([hasBridge(world), hasFile(world)]).toEqual([false, false]);
  });

  test('its holder, when the actor is gone', async () => {
    const world = new FakeWorld();
    const qemu = world.engine().world.self;
    const { id } = (await make(world, { vm: 'web' }, qemu)).head;
    world.killAll();
    world.living.add(qemu.pid);
    expect((await recover(world.engine())).undone).toEqual([]);
    await expect(undoChange(world.engine(), id)).rejects.toMatchObject({ code: 'QL_CHANGE_HELD', exit: 3 });
    expect((await release(world.engine(), { vm: 'web' })).reported).toHaveLength(1);
    world.killAll();
    expect((await recover(world.engine())).undone).toEqual([id]);
  });

  test('"until undone": nobody but who names it', async () => {
    const world = new FakeWorld();
    const { id } = (await make(world, { untilUndone: 'x' }, 'until-undone')).head;
    world.killAll();
    expect((await recover(world.engine())).undone).toEqual([]);
    await expect(undoChange(world.engine(), 'nope')).rejects.toMatchObject({ code: 'QL_NO_CHANGE', exit: 2 });
    expect((await undoChange(world.engine(), id)).undone).toEqual([id]);
    expect([hasBridge(world), world.open]).toEqual([false, []]);
  });

  test('"until undone", killed halfway through its undo: the next recover ends it', async () => {
    const world = new FakeWorld();
    const { id } = (await make(world, { untilUndone: 'x' }, 'until-undone')).head;
    world.killAll();
    const process = doomed(world.engine(), { kind: 'kill', at: 4, effect: true });
    await Promise.race([undoChange(process.engine, id), process.died]);
    world.killAll();
    expect((await recover(world.engine())).undone).toEqual([id]);
    expect([hasBridge(world), hasFile(world), world.open]).toEqual([false, false, []]);
  });

  test('"permanent": for good once it is complete, and nothing is kept of it', async () => {
    const world = new FakeWorld();
    await make(world, { permanent: true });
    world.killAll();
    expect([world.open, (await recover(world.engine())).undone]).toEqual([[], []]);
    expect([hasBridge(world), hasFile(world)]).toEqual([true, true]);
  });

  test('"permanent": taken back when who made it ended halfway', async () => {
    const world = new FakeWorld();
    const process = doomed(world.engine(), { kind: 'kill', at: 5, effect: true });
    await Promise.race([
      apply(process.engine, { title: 'test', lifetime: { permanent: true } }, (facts) => ({
        steps: [
          ...planBridge({ name: 'br0', lifetime: { permanent: true } }, facts).steps,
          setAttribute(RP_FILTER, '2', 'loosen the source check on lo'),
        ],
      })),
      process.died,
    ]);
    world.killAll();
    expect((await recover(world.engine())).undone).toHaveLength(1);
    expect(hasBridge(world)).toBe(false);
  });
});

describe('elsewhere', () => {
  test('after a reboot kernel state is forgotten and files are put back', async () => {
    const world = new FakeWorld();
    await make(world, { vm: 'web' });
    world.killAll();
    world.bootId = 'boot-2';
    // Another one made the same anew since: it is none of ours.
    const state = world.host.links.state();
    expect((await recover(world.engine())).undone).toHaveLength(1);
    expect([world.host.links.state(), hasFile(world), world.open]).toEqual([state, false, []]);
  });

  test('in another network namespace it is reported and not touched', async () => {
    const world = new FakeWorld();
    await make(world, { vm: 'web' });
    world.killAll();
    world.netns = 'net:[2]';
    const state = world.host.state();
    const { reported, exit } = await recover(world.engine());
    expect(reported).toMatchObject([{ decision: { why: 'it is in another network namespace (net:[1])' } }]);
    expect([exit, world.host.state()]).toEqual([0, state]);
  });
});

test('a journal of format 1 replays', async () => {
  const world = new FakeWorld();
  const text = readFileSync(new URL('journal/fixtures/v1.journal', import.meta.url), 'utf8');
  world.volatile.replace('f00d01.journal', text);
  world.host.links.command(['link', 'add', 'name', 'br9', 'address', '02:71:6c:00:00:09', 'type', 'bridge']);
  world.host.links.write(RP_FILTER, '2');
  const engine = world.engine();
  const elsewhere = await undoChange(
    { ...engine, world: { ...engine.world, alive: () => 'dead' } },
    'f00d01',
  );
  expect(elsewhere).toMatchObject({ undone: ['f00d01'], left: [], said: [] });
  expect(world.host.links.command(['link', 'show', 'dev', 'br9']).status).toBe(1);
  expect([world.host.links.read(RP_FILTER), world.open]).toEqual(['0', []]);
});

test('a journal that was cut or bent never touches anything, and its lines are shown', async () => {
  const damage = fc.oneof(
    fc.record({ cut: fc.double({ min: 0, max: 0.999, noNaN: true }) }),
    fc.record({ flip: fc.double({ min: 0, max: 0.999, noNaN: true }), bit: fc.integer({ min: 0, max: 6 }) }),
  );
  await fc.assert(
    fc.asyncProperty(damage, fc.constantFrom('volatile' as const, 'durable' as const), async (how, place) => {
      const world = new FakeWorld();
      await make(world, { vm: 'web' });
      const [[name, text] = ['', '']] = [...world[place].files];
      world[place].files.set(name, bend(text, how));
      world.killAll();
      const state = world.host.state();
      const { exit, undone, reported } = await recover(world.engine());
      expect({ exit, undone, state: world.host.state() }).toEqual({ exit: 6, undone: [], state });
      expect(reported).toMatchObject([{ change: { trouble: { kind: 'damaged' } } }]);
    }),
    { numRuns: 300 },
  );
});

function bend(text: string, how: { cut: number } | { flip: number; bit: number }): string {
  if ('cut' in how) return text.slice(0, Math.floor(text.length * how.cut));
  const at = Math.floor(text.length * how.flip);
  return text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ (1 << how.bit)) + text.slice(at + 1);
}
