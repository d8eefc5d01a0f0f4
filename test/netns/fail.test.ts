// needs: bridge, tap
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { QlaunchError } from '../../src/errors.ts';
import { apply } from '../../src/run/apply.ts';
import { openEngine } from '../../src/run/open-engine.ts';
import { release } from '../../src/run/recover.ts';
import { doomed, type Grief } from '../fake-engine.ts';
import { differences, snapshot } from '../snapshot.ts';
import { LIFETIME, PLANS, planner } from './plans.ts';
import { filesLeft, makeTree, type Tree } from './tree.ts';

let tree: Tree;
beforeAll(() => {
  tree = makeTree();
  writeFileSync(join(tree.etc, 'there.conf'), 'old\n', { mode: 0o640 });
  symlinkSync('there.conf', join(tree.etc, 'link.conf'));
});
afterAll(() => tree.remove());

const griefs: readonly ((at: number) => Grief)[] = [
  (at) => ({ kind: 'refuse', at }),
  // By turns with its effect and without: each costs as much as a refusal, and both leave the outcome unknown.
  (at) => ({ kind: 'hang', at, effect: at % 2 === 0 }),
];
const cases = Object.keys(PLANS).flatMap((plan) =>
  griefs.map((grief) => ({ plan, grief, name: JSON.stringify(grief(0)) })),
);

test.each(cases)(
  '$plan with $name at any touch leaves the host as before',
  async ({ plan, grief }) => {
    const before = snapshot({ files: [tree.etc] });
    for (let at = 1, reached = true; reached; at += 1) {
      const engine = openEngine({ tool: 'qlaunch test', env: tree.env });
      const process = doomed(engine, grief(at));
      const order = { title: 'test', lifetime: LIFETIME };
      const failure: unknown = await apply(process.engine, order, planner(plan, tree.etc)).catch(
        (error: unknown) => error,
      );
      if (failure instanceof Error && !(failure instanceof QlaunchError)) throw failure;
      reached = process.touches() >= at;
      const { left } = await release(engine, LIFETIME);
      expect([at, left, differences(before, snapshot({ files: [tree.etc] })), filesLeft(tree)]).toEqual([
        at,
        [],
        [],
        [],
      ]);
    }
  },
  60_000,
);
