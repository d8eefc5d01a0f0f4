/** Every plan, killed at every touch, by the moment and by what it was doing: and healed each time. */
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

  const moments: readonly Moment[] = ['before', 'during', 'after'];
  const cases = Object.keys(PLANS).flatMap((plan) => moments.map((moment) => ({ plan, moment })));

  test.each(cases)(
    '$plan, killed $moment any touch, is healed',
    async ({ plan, moment }) => {
      const before = snapshot({ files: [tree.etc] });
      let touches = 0;
      for (let killed = true; killed; ) {
        touches += 1;
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
