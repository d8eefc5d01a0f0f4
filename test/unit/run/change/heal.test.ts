import fc from 'fast-check';
import { expect, test } from 'vitest';
import { QlaunchError } from '../../../../src/errors.ts';
import { putFile } from '../../../../src/plan/files.ts';
import { apply } from '../../../../src/run/apply.ts';
import { teardown } from '../../../../src/run/change/teardown.ts';
import { loadChange } from '../../../../src/run/journal/load.ts';
import { recover } from '../../../../src/run/recover.ts';
import { type Doomed, doomed, FakeWorld, type Grief } from '../../../fake-engine.ts';
import { LIFETIME, planOf, strangers, unlessRefused, wishes } from './arbitrary.ts';

const ORDER = { title: 'test', lifetime: LIFETIME };
const at = fc.integer({ min: 1, max: 40 });
const grief: fc.Arbitrary<Grief> = fc.oneof(
  fc.record({ kind: fc.constant('kill' as const), at, effect: fc.boolean() }),
  fc.record({ kind: fc.constant('hang' as const), at, effect: fc.boolean() }),
  fc.record({ kind: fc.constant('refuse' as const), at }),
);

/** Until it ends by itself or is killed. */
const ends = (work: Promise<unknown>, { died }: Doomed): Promise<unknown> =>
  Promise.race([unlessRefused(work), died]);

async function heal(world: FakeWorld): Promise<void> {
  world.killAll();
  const result = await recover(world.engine());
  expect({ left: result.left, exit: result.exit, open: world.open }).toEqual({ left: [], exit: 0, open: [] });
}

test('whatever happens at whichever step, recovering leaves the host as before', async () => {
  await fc.assert(
    fc.asyncProperty(strangers, wishes, grief, async (before, wanted, how) => {
      const world = new FakeWorld();
      for (const stranger of before) stranger(world);
      const state = world.host.state();
      const process = doomed(world.engine(), how);
      await ends(apply(process.engine, ORDER, planOf(wanted)), process);
      await heal(world);
      expect(world.host.state()).toBe(state);
    }),
    { numRuns: 1500 },
  );
}, 60_000);

test('a plan that fails takes back by itself what it made', async () => {
  await fc.assert(
    fc.asyncProperty(strangers, wishes, at, async (before, wanted, step) => {
      const world = new FakeWorld();
      for (const stranger of before) stranger(world);
      const state = world.host.state();
      const process = doomed(world.engine(), { kind: 'refuse', at: step });
      const error: unknown = await apply(process.engine, ORDER, planOf(wanted)).catch(
        (thrown: unknown) => thrown,
      );
      expect(error instanceof Error && !(error instanceof QlaunchError)).toBe(false);
      if (!(error instanceof QlaunchError)) return;
      // What could not be taken back, or not be journaled, is said; what is not said has not happened.
      const said = error.why.some((why) => /left over|journal could not be written/.test(why));
      expect([world.host.state() === state || said, world.open.length === 0 || said]).toEqual([true, true]);
    }),
    { numRuns: 500 },
  );
}, 60_000);

test('whatever happens while it is taken back, recovering ends it', async () => {
  await fc.assert(
    fc.asyncProperty(strangers, wishes, grief, async (before, wanted, how) => {
      const world = new FakeWorld();
      for (const stranger of before) stranger(world);
      const state = world.host.state();
      const journal = await unlessRefused(apply(world.engine(), ORDER, planOf(wanted)));
      world.killAll();
      const process = doomed(world.engine(), how);
      const id = journal?.head.id ?? 'none';
      const mine = loadChange(process.engine.stores, process.engine.world, id).journal;
      if (mine !== undefined) await ends(teardown(process.engine, mine), process);
      await heal(world);
      expect(world.host.state()).toBe(state);
    }),
    { numRuns: 1000 },
  );
}, 60_000);

test('taking back twice is taking back once', async () => {
  await fc.assert(
    fc.asyncProperty(strangers, wishes, async (before, wanted) => {
      const world = new FakeWorld();
      for (const stranger of before) stranger(world);
      await unlessRefused(apply(world.engine(), ORDER, planOf(wanted)));
      const journals = [world.volatile, world.durable].map(({ files }) => ({ files, texts: [...files] }));
      await heal(world);
      const once = world.host.state();
      // As if the machine had lost power after the undo and before the journal knew.
      for (const { files, texts } of journals) for (const [name, text] of texts) files.set(name, text);
      await heal(world);
      expect(world.host.state()).toBe(once);
    }),
    { numRuns: 500 },
  );
}, 60_000);

test('a file that one change writes twice is back although a stranger had it first', async () => {
  const world = new FakeWorld();
  world.host.files.stranger('/etc/a', 'theirs');
  const [one, two] = ['one', 'two'].map((content) => () => [putFile({ path: '/etc/a', content })]);
  if (one === undefined || two === undefined) throw new TypeError('two of them');
  await apply(world.engine(), ORDER, planOf([one, two]));
  const texts = [...world.volatile.files].map(([name, text]) => ({
    files: world.volatile.files,
    name,
    text,
  }));
  texts.push(...[...world.durable.files].map(([name, text]) => ({ files: world.durable.files, name, text })));
  await heal(world);
  const once = world.host.state();
  for (const { files, name, text } of texts) files.set(name, text);
  await heal(world);
  expect(world.host.state()).toBe(once);
});
