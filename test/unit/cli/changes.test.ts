import { expect, test } from 'vitest';
import { changeJson, renderChanges, renderPlanned, renderRecovered } from '../../../src/cli/changes.ts';
import { planBridge } from '../../../src/plan/bridge.ts';
import { apply } from '../../../src/run/apply.ts';
import { openChanges, planRecovery, planUndo, recover, undoChange } from '../../../src/run/recover.ts';
import { FakeWorld } from '../../fake-engine.ts';

async function withBridge(): Promise<{ world: FakeWorld; id: string }> {
  const world = new FakeWorld();
  const lifetime = { untilUndone: 'x' };
  const order = { title: 'bridge create br0', lifetime, holder: 'until-undone' } as const;
  const journal = await apply(world.engine(), order, (facts) => planBridge({ name: 'br0', lifetime }, facts));
  world.killAll();
  return { world, id: journal.head.id };
}

test('what is open: whose, since when, how to undo it', async () => {
  const { world } = await withBridge();
  expect(renderChanges(openChanges(world.engine()))).toMatchInlineSnapshot(`
    "ID      WHOSE         SINCE (UTC)       WHAT               NOTE
    200000  until undone  1970-01-01 00:00  bridge create br0  it stays until it is undone"
  `);
  expect(openChanges(world.engine()).map(changeJson)).toMatchInlineSnapshot(`
    [
      {
        "decision": "leave",
        "holder": "until-undone",
        "id": "200000",
        "since": "1970-01-01T00:00:00.101Z",
        "steps": [
          {
            "nothing": "goes away with br0",
            "state": "done",
            "title": "set br0 up",
          },
          {
            "state": "done",
            "title": "name the link br0",
            "undo": "/usr/sbin/ip link delete dev br0",
          },
          {
            "nothing": "the mark goes away with the link",
            "state": "done",
            "title": "mark the link for br0 as ours",
          },
          {
            "state": "done",
            "title": "make a link for br0",
            "undo": "/usr/sbin/ip link delete dev ql1000000000000",
          },
        ],
        "title": "bridge create br0",
        "tool": "qlaunch test",
        "whose": "until undone",
        "why": "it stays until it is undone",
      },
    ]
  `);
});

test('a journal that can not be read is shown with the lines that help', async () => {
  const { world, id } = await withBridge();
  const text = world.volatile.read(`${id}.journal`) ?? '';
  world.volatile.replace(`${id}.journal`, text.slice(0, -20));
  expect(renderChanges(openChanges(world.engine()))).toMatchInlineSnapshot(`
    "ID      WHOSE    SINCE (UTC)  WHAT  NOTE
    200000  damaged  -            -     /memory/200000.journal: its end is missing

    To take back by hand what can not be read wholly, newest first:
    200000: /usr/sbin/ip link delete dev br0
    200000: /usr/sbin/ip link delete dev ql1000000000000"
  `);
  expect(renderRecovered(await recover(world.engine()))).toMatchInlineSnapshot(`
    "200000: not touched: /memory/200000.journal: its end is missing
      try: /usr/sbin/ip link delete dev br0
      try: /usr/sbin/ip link delete dev ql1000000000000"
  `);
});

test('what was taken back', async () => {
  const { world, id } = await withBridge();
  expect(renderRecovered(await undoChange(world.engine(), id))).toBe(`${id}: taken back`);
  expect(renderRecovered(await recover(world.engine()))).toBe('nothing to take back');
});

test('what would be taken back, and nothing is', async () => {
  const { world, id } = await withBridge();
  const text = renderPlanned([planUndo(world.engine(), id)]);
  expect(text).toBe(
    [
      `# ${id}: bridge create br0`,
      '/usr/sbin/ip link delete dev br0',
      '/usr/sbin/ip link delete dev ql1000000000000',
    ].join('\n'),
  );
  expect(renderPlanned(planRecovery(world.engine()))).toBe('# nothing to take back');
  expect(openChanges(world.engine())).toHaveLength(1);
  expect(() => planUndo(world.engine(), 'none')).toThrow(expect.objectContaining({ code: 'QL_NO_CHANGE' }));
  expect((await undoChange(world.engine(), id)).undone).toEqual([id]);
});
