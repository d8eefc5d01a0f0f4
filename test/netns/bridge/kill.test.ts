// needs: bridge, veth
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openEngine } from '../../../src/run/open-engine.ts';
import { openChanges, recover, undoChange } from '../../../src/run/recover.ts';
import { differences, type Snapshot, snapshot } from '../../snapshot.ts';
import type { Moment } from '../killing.ts';
import { childRunner } from '../run-child.ts';
import { filesLeft, makeTree, type Tree } from '../tree.ts';
import type { ChildOrder } from './child.ts';
import { cable, carry, quiet, STATIC, settled } from './outside.ts';

const look = (): Snapshot => snapshot({ files: [] });

async function machine(): Promise<{ tree: Tree; run: (order: ChildOrder) => boolean; before: Snapshot }> {
  const tree = makeTree();
  onTestFinished(() => tree.remove());
  // A write that is cut in the middle is cut in a directory that is there.
  mkdirSync(join(tree.root, 'run/journal'), { recursive: true, mode: 0o700 });
  cable();
  carry(STATIC);
  await quiet();
  const run = childRunner<ChildOrder>(tree, new URL('child.ts', import.meta.url));
  return { tree, run, before: look() };
}

const again = (tree: Tree): Promise<unknown> => recover(openEngine({ tool: 'qlaunch test', env: tree.env }));

async function takenBackComplete(tree: Tree): Promise<boolean> {
  const engine = openEngine({ tool: 'qlaunch test', env: tree.env });
  const open = openChanges(engine).find(({ change }) => change.journal?.head.complete === true);
  if (open !== undefined) await undoChange(engine, open.change.id);
  return open !== undefined;
}

const EVERY = 9;
/** Before a touch the machine is as it was after the one before that. */
const moments: readonly Moment[] = ['during', 'after'];
const cases = (['do', 'undo'] as const).flatMap((phase) => moments.map((moment) => ({ phase, moment })));

test.each(cases)(
  'killed $moment any touch of $phase, recover puts the NIC back as it was',
  async ({ phase, moment }) => {
    const { tree, run, before } = await machine();
    // Each moment takes every ninth touch, from its own beginning.
    let touches = moments.indexOf(moment) * 4 + 1 - EVERY;
    for (let killed = true; killed; ) {
      touches += EVERY;
      killed = run({ phase, kill: { at: touches, moment } });
      const { left, said } = (await again(tree)) as { left: unknown[]; said: string[] };
      // It is made, and only proven from then on: nobody who asked for it to stay is there to say otherwise.
      if ((await takenBackComplete(tree)) && phase === 'do') break;
      const at = `${phase}, ${moment} touch ${touches}`;
      await quiet();
      expect({ at, left, said }).toEqual({ at, left: [], said: [] });
      expect({ at, differs: differences(before, look()), files: filesLeft(tree) }).toEqual({
        at,
        differs: [],
        files: [],
      });
    }
    await quiet();
    expect(differences(before, look())).toEqual([]);
    expect(touches).toBeGreaterThan(20);
  },
  300_000,
);

/** A watcher that was started says so within moments. */
async function watcherEnds(tree: Tree): Promise<void> {
  const file = filesLeft(tree).find((name) => name.endsWith('.armed'));
  const pid = file === undefined ? '' : readFileSync(file, 'utf8').trim();
  await settled(() => pid === '' || !existsSync(`/proc/${pid}`));
}

test('killed after any touch on trial, the watcher or the next recover puts the NIC back as it was', async () => {
  const { tree, run, before } = await machine();
  let alone = 0;
  let runs = 0;
  let touches = 0;
  for (let killed = true; killed; touches += EVERY) {
    runs += 1;
    killed = run({ phase: 'trial', kill: { at: touches + 1, moment: 'after' } });
    await watcherEnds(tree);
    await quiet();
    if (differences(before, look()).length === 0) alone += 1;
    await again(tree);
    await quiet();
    const at = `touch ${touches + 1}`;
    expect({ at, differs: differences(before, look()), files: filesLeft(tree) }).toEqual({
      at,
      differs: [],
      files: [],
    });
  }
  expect(touches).toBeGreaterThan(20);
  expect(alone).toBeGreaterThan((runs * 3) / 4);
}, 300_000);
