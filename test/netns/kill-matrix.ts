/**
 * Every plan, killed at every touch, by the moment and by what it was doing: and healed each time. Killed before a touch
 * the machine is as it was after the one before that: every fourth proves it.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openEngine } from '../../src/run/open-engine.ts';
import { recover } from '../../src/run/recover.ts';
import { differences, snapshot } from '../snapshot.ts';
import type { Moment } from './killing.ts';
import { PLANS } from './plans.ts';
import { childRunner } from './run-child.ts';
import { filesLeft, makeTree, type Tree } from './tree.ts';

export function killMatrix(phase: 'do' | 'undo'): void {
  let tree: Tree;
  let runChild: ReturnType<typeof childRunner>;
  beforeAll(() => {
    tree = makeTree();
    runChild = childRunner(tree);
  });
  afterAll(() => tree.remove());

  const moments: readonly { moment: Moment; every: number }[] = [
    { moment: 'before', every: 4 },
    { moment: 'during', every: 1 },
    { moment: 'after', every: 1 },
  ];
  const cases = Object.keys(PLANS).flatMap((plan) => moments.map((one) => ({ plan, ...one })));

  test.each(cases)(
    '$plan, killed $moment any touch (steps of $every), is healed',
    async ({ plan, moment, every }) => {
      const before = snapshot({ files: [tree.etc] });
      let touches = 1 - every;
      for (let killed = true; killed; ) {
        touches += every;
        killed = runChild({ plan, phase, kill: { at: touches, moment } });
        const { left, said } = await recover(openEngine({ tool: 'qlaunch test', env: tree.env }));
        const at = `${plan}, ${phase}, ${moment} touch ${touches}`;
        expect({ at, left, said }).toEqual({ at, left: [], said: [] });
        expect({ at, differs: differences(before, snapshot({ files: [tree.etc] })) }).toEqual({
          at,
          differs: [],
        });
        expect({ at, files: filesLeft(tree) }).toEqual({ at, files: [] });
      }
      // Journal, action, journal: fewer would mean that the child touched nothing.
      expect(touches).toBeGreaterThan(3);
    },
    120_000,
  );
}
