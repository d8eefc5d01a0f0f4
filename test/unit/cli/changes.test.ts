import { expect, test } from 'vitest';
import { changeJson, renderChanges, renderPlanned, renderRecovered } from '../../../src/cli/changes.ts';
import { planBridge } from '../../../src/plan/bridge.ts';
import { shareAttribute } from '../../../src/plan/sysctl.ts';
import { apply } from '../../../src/run/apply.ts';
import {
  forgetChange,
  openChanges,
  planRecovery,
  planUndo,
  recover,
  undoChange,
} from '../../../src/run/recover.ts';
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
    200000: /usr/sbin/ip link delete dev ql1000000000000
    200000: qlaunch undo 200000 --forget   # when nothing of it is left: only its journal goes"
  `);
  expect(renderRecovered(await recover(world.engine()))).toMatchInlineSnapshot(`
    "200000: not touched: /memory/200000.journal: its end is missing
      try: /usr/sbin/ip link delete dev br0
      try: /usr/sbin/ip link delete dev ql1000000000000
      try: qlaunch undo 200000 --forget   # when nothing of it is left: only its journal goes"
  `);
});

test('a damaged journal is set aside when that is asked for, and touches nothing', async () => {
  const { world, id } = await withBridge();
  world.volatile.replace(`${id}.journal`, 'x\n');
  expect(renderRecovered(await recover(world.engine()))).toMatchInlineSnapshot(`
    "200000: not touched: /memory/200000.journal: 1 of 1 lines are damaged
      try: qlaunch map   # its own lines are lost; what is still there is seen here
      try: qlaunch undo 200000 --forget   # when nothing of it is left: only its journal goes"
  `);
  await forgetChange(world.engine(), id);
  expect({ open: world.open, changes: openChanges(world.engine()) }).toEqual({ open: [], changes: [] });
  expect(world.host.links.command(['link', 'show', 'dev', 'br0']).status).toBe(0);
  await expect(forgetChange(world.engine(), id)).rejects.toThrow('there is no open change');
});

test('a change that is forgotten no longer keeps an attribute for others', async () => {
  const world = new FakeWorld();
  const forward = '/proc/sys/net/ipv4/ip_forward';
  for (const id of ['a', 'b']) {
    const order = { title: id, lifetime: { untilUndone: id }, holder: 'until-undone', id } as const;
    await apply(world.engine(), order, () => ({ steps: [shareAttribute(forward, '1', 'route')] }));
  }
  world.killAll();
  await forgetChange(world.engine(), 'a');
  await undoChange(world.engine(), 'b');
  expect({ open: world.open, value: world.host.links.read(forward) }).toEqual({ open: [], value: '0' });
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
