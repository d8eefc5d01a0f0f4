// needs: bridge
import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openEngine } from '../../src/run/open-engine.ts';
import { recover } from '../../src/run/recover.ts';
import { differences, snapshot } from '../snapshot.ts';
import type { ChildOrder } from './child.ts';
import type { Moment } from './killing.ts';
import { PLANS } from './plans.ts';
import { filesLeft, makeTree, type Tree } from './tree.ts';

let tree: Tree;
let child: string;

beforeAll(() => {
  tree = makeTree();
  child = join(tree.root, 'child.mjs');
  buildSync({
    entryPoints: [new URL('child.ts', import.meta.url).pathname],
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile: child,
    logLevel: 'error',
  });
  writeFileSync(join(tree.etc, 'there.conf'), 'old\n', { mode: 0o640 });
  symlinkSync('there.conf', join(tree.etc, 'link.conf'));
  mkdirSync(join(tree.etc, 'there.d'));
});
afterAll(() => tree.remove());

/** true: it was killed, so there are more touches to come. */
function runChild(order: ChildOrder): boolean {
  const { status, signal, stderr } = spawnSync(process.execPath, [child], {
    encoding: 'utf8',
    env: { ...process.env, ...tree.env, QLAUNCH_TEST_CHILD: JSON.stringify(order) },
  });
  if (signal === 'SIGKILL') return true;
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return false;
}

const cases = Object.keys(PLANS).flatMap((plan) =>
  (['do', 'undo'] as const).flatMap((phase) =>
    (['before', 'during', 'after'] as const).map((moment) => ({ plan, phase, moment })),
  ),
);

test.each(cases)(
  '$plan, killed $moment any touch of $phase, is healed',
  async ({ plan, phase, moment }: { plan: string; phase: 'do' | 'undo'; moment: Moment }) => {
    const before = snapshot({ files: [tree.etc] });
    let touches = 0;
    for (let killed = true; killed; ) {
      touches += 1;
      killed = runChild({ plan, etc: tree.etc, phase, kill: { at: touches, moment } });
      const engine = openEngine({ tool: 'qlaunch test', env: tree.env });
      const result = await recover(engine);
      const at = `${plan}, ${phase}, ${moment} touch ${touches}`;
      expect({ at, left: result.left, said: result.said }).toEqual({ at, left: [], said: [] });
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
