import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Step } from '../../../../src/plan/step.ts';
import { execute } from '../../../../src/run/change/execute.ts';
import { doomed, FakeWorld } from '../../../fake-engine.ts';

const ORDER = { title: 'test', lifetime: { vm: 'test' } } as const;

/** A command and, as its undo, another one that leaves its trace in the log. */
const command = (n: number): Step => ({
  title: `do ${n}`,
  do: { run: ['sh', `do-${n}`] },
  undo: { run: ['sh', `undo-${n}`], gone: [] },
  deadlineMs: 1_000,
});

const undone = (world: FakeWorld): readonly string[] =>
  world.host.log.filter((line) => line.includes('undo-')).map((line) => line.slice(line.indexOf('undo-')));

test('the undo of a refused step is never run; those before it are, newest first', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 6 }),
      fc.integer({ min: 1, max: 6 }),
      async (count, refused) => {
        fc.pre(refused <= count);
        const world = new FakeWorld();
        const steps = Array.from({ length: count }, (_, index) => command(index + 1));
        // Touches: journal, command, journal; the second of each three is the command.
        const { engine } = doomed(world.engine(), { kind: 'refuse', at: 3 * refused - 1 });
        const failure: unknown = await execute(engine, { steps }, ORDER).catch((error: unknown) => error);
        expect(failure).toMatchObject({
          code: 'QL_STEP_REFUSED',
          exit: 4,
          message: `could not do ${refused}`,
        });
        const before = Array.from({ length: refused - 1 }, (_, index) => `undo-${refused - 1 - index}`);
        expect(undone(world)).toEqual(before);
        expect(world.open).toEqual([]);
      },
    ),
  );
});

test('a command of unknown outcome that nothing proves ours is left, and said', async () => {
  const world = new FakeWorld();
  const { engine } = doomed(world.engine(), { kind: 'hang', at: 2, effect: true });
  await expect(execute(engine, { steps: [command(1)] }, ORDER)).rejects.toMatchObject({
    code: 'QL_LEFTOVERS',
    exit: 5,
    why: ['no answer within 1 s', expect.stringContaining('nothing would prove it ours')],
    todo: ['/usr/sbin/sh undo-1', 'run it by hand: sh do-1'],
  });
  expect(undone(world)).toEqual([]);
  expect(world.open).toHaveLength(1);
});

test('a line of a batch that is refused is dropped, with those after it', async () => {
  const world = new FakeWorld();
  const line = (
    name: string,
    n: number,
  ): { title: string; words: readonly [string, ...string[]]; undo: Step['undo'] } => ({
    title: `make ${name}`,
    words: ['link', 'add', 'name', name, 'type', 'bridge'],
    undo: { run: ['sh', `undo-${n}`], gone: [] },
  });
  const step: Step = {
    title: 'make three bridges',
    do: { batch: 'ip', lines: [line('a', 1), line('b', 2), line('a', 3), line('c', 4)] as never },
    undo: { eachLine: true },
    deadlineMs: 1_000,
  };
  await expect(execute(world.engine(), { steps: [step] }, ORDER)).rejects.toMatchObject({
    code: 'QL_STEP_REFUSED',
    why: ['RTNETLINK answers: File exists'],
  });
  expect(undone(world)).toEqual(['undo-2', 'undo-1']);
});

test('a tool that is missing is found before anything is touched', async () => {
  const world = new FakeWorld();
  const missing: Step = { ...command(2), undo: { run: ['no-such-tool'], gone: [] } };
  await expect(execute(world.engine(), { steps: [command(1), missing] }, ORDER)).rejects.toMatchObject({
    code: 'QL_TOOL_MISSING',
  });
  expect(world.host.log).toEqual([]);
});
