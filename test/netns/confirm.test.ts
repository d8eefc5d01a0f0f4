// needs: bridge
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { applyOnTrial, confirmChange } from '../../src/run/confirm/confirm.ts';
import type { Engine } from '../../src/run/engine.ts';
import { openEngine } from '../../src/run/open-engine.ts';
import { openChanges, recover, undoChange } from '../../src/run/recover.ts';
import { differences, type Snapshot, snapshot } from '../snapshot.ts';
import { type Planner, planner } from './plans.ts';
import { childRunner } from './run-child.ts';
import { filesLeft, makeTree, type Tree } from './tree.ts';

let tree: Tree;
let engine: Engine;
let runChild: ReturnType<typeof childRunner>;
beforeEach(() => {
  tree = makeTree();
  runChild = childRunner(tree);
  engine = openEngine({ tool: 'qlaunch test', env: tree.env });
});
afterEach(() => tree.remove());

const look = (): Snapshot => snapshot({ files: [tree.etc] });
const staged: Planner = (facts) => planner('staged', tree.etc)(facts);
const WISH = { title: 'test', lifetime: { untilUndone: 'x' }, holder: 'until-undone' } as const;

/** A watcher that is started says so within moments; then it is waited for. */
async function watcherEnds(): Promise<void> {
  const armed = (): string | undefined => filesLeft(tree).find((file) => file.endsWith('.armed'));
  for (let i = 0; i < 20 && armed() === undefined; i += 1)
    await new Promise((resolve) => setTimeout(resolve, 10));
  const file = armed();
  const pid = file === undefined ? '' : readFileSync(file, 'utf8').trim();
  while (pid !== '' && existsSync(`/proc/${pid}`)) await new Promise((resolve) => setTimeout(resolve, 20));
}

test('what is confirmed stays, and only then is written to the disk', async () => {
  const before = look();
  const { id } = (await applyOnTrial(engine, WISH, 30, staged)).head;
  expect(existsSync('/sys/class/net/br-t')).toBe(true);
  expect(existsSync(join(tree.etc, 'br-t.conf'))).toBe(false);
  expect((await recover(openEngine({ tool: 'qlaunch test', env: tree.env }))).undone).toEqual([]);
  await confirmChange(engine, id);
  expect(readFileSync(join(tree.etc, 'br-t.conf'), 'utf8')).toMatch(/^ifindex=\d+\n$/);
  expect(filesLeft(tree).filter((file) => file.includes('/confirm/'))).toEqual([]);
  expect(openChanges(engine).map(({ change }) => change.id)).toEqual([id]);
  await expect(confirmChange(engine, id)).rejects.toMatchObject({ code: 'QL_NO_TRIAL', exit: 2 });
  expect(await undoChange(engine, id)).toMatchObject({ undone: [id], left: [] });
  expect(differences(before, look())).toEqual([]);
});

test('what is not confirmed is taken back without us', async () => {
  const before = look();
  const { id } = (await applyOnTrial(engine, WISH, 1, staged)).head;
  expect(differences(before, look())).not.toEqual([]);
  await watcherEnds();
  expect(differences(before, look())).toEqual([]);
  expect(filesLeft(tree)).toEqual([]);
  await expect(confirmChange(engine, id)).rejects.toMatchObject({ code: 'QL_NO_TRIAL' });
});

test.each([
  // As its script ends when a step is stuck.
  ['the watcher gave up', (id: string) => engine.confirm.replace(`${id}.undo`, 'exit 5\n')],
  // As `qlaunch confirm`, killed.
  ['whoever decided died', (id: string) => mkdirSync(engine.confirm.path(`${id}.decided`))],
])('where %s, it is taken back by name', async (_, happens) => {
  const before = look();
  const { id } = (await applyOnTrial(engine, WISH, 1, staged)).head;
  happens(id);
  await watcherEnds();
  expect(differences(before, look())).not.toEqual([]);
  expect(await undoChange(engine, id)).toMatchObject({ undone: [id], left: [], exit: 0 });
  expect([differences(before, look()), filesLeft(tree)]).toEqual([[], []]);
});

test('a plan that fails on trial leaves no watcher', async () => {
  const before = look();
  const failing: Planner = (facts) => ({
    steps: [
      ...staged(facts).steps,
      { title: 'fail', do: { run: ['false'] }, undo: { nothing: 'it fails' }, deadlineMs: 1_000 },
    ],
  });
  await expect(applyOnTrial(engine, WISH, 30, failing)).rejects.toMatchObject({ code: 'QL_STEP_REFUSED' });
  expect([differences(before, look()), filesLeft(tree)]).toEqual([[], []]);
});

test('killed after any touch on trial, it is healed by the watcher', async () => {
  const before = look();
  let alone = 0;
  let touches = 0;
  for (let killed = true; killed; ) {
    touches += 1;
    killed = runChild({ plan: 'staged', phase: 'trial', kill: { at: touches, moment: 'after' } });
    await watcherEnds();
    if (differences(before, look()).length === 0) alone += 1;
    // Where the kill fell between a change and its journal, the script leaves the rest to recover.
    await recover(openEngine({ tool: 'qlaunch test', env: tree.env }));
    const at = `touch ${touches}`;
    expect({ at, differs: differences(before, look()) }).toEqual({ at, differs: [] });
    expect({ at, files: filesLeft(tree) }).toEqual({ at, files: [] });
  }
  expect(touches).toBeGreaterThan(8);
  expect(alone).toBeGreaterThan((touches * 3) / 4);
}, 120_000);
