// needs: bridge, tap
import { existsSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { planBridge } from '../../src/plan/bridge.ts';
import type { Step } from '../../src/plan/step.ts';
import { apply } from '../../src/run/apply.ts';
import type { Engine } from '../../src/run/engine.ts';
import { openEngine } from '../../src/run/open-engine.ts';
import { release } from '../../src/run/recover.ts';
import { differences, type Snapshot, snapshot } from '../snapshot.ts';
import { LIFETIME } from './plans.ts';
import { filesLeft, makeTree, type Tree } from './tree.ts';

let tree: Tree;
let engine: Engine;
beforeEach(() => {
  tree = makeTree();
  engine = openEngine({ tool: 'qlaunch test', env: tree.env });
});
afterEach(() => tree.remove());

const look = (): Snapshot => snapshot({ files: [tree.etc] });
const ORDER = { title: 'test', lifetime: LIFETIME };
const hangs: Step = {
  title: 'wait for ever',
  do: { run: ['sleep', '60'] },
  undo: { nothing: 'it changes nothing' },
  deadlineMs: 200,
};

test('a step that hangs is killed, and what was made before it is taken back', async () => {
  const before = look();
  const made = apply(engine, ORDER, (facts) => ({
    steps: [...planBridge({ name: 'br-t', lifetime: LIFETIME }, facts).steps, hangs],
  }));
  await expect(made).rejects.toMatchObject({
    code: 'QL_STEP_STUCK',
    exit: 5,
    message: 'could not wait for ever',
    why: ['no answer within 0.2 s'],
  });
  expect([differences(before, look()), filesLeft(tree)]).toEqual([[], []]);
});

test('an undo that hangs is stuck; the others go on, and the journal stays', async () => {
  const before = look();
  const stuck: Step = {
    ...hangs,
    title: 'come',
    do: { run: ['true'] },
    undo: { run: ['sleep', '60'], gone: [] },
  };
  await apply(engine, ORDER, (facts) => ({
    steps: [...planBridge({ name: 'br-t', lifetime: LIFETIME }, facts).steps, stuck],
  }));
  const { left, exit } = await release(engine, LIFETIME);
  expect(left).toMatchObject([
    {
      title: 'come',
      why: 'no answer within 0.2 s',
      byHand: expect.stringMatching(/\/sleep 60$/) as string,
      stuck: true,
    },
  ]);
  expect([exit, existsSync('/sys/class/net/br-t'), filesLeft(tree).length]).toEqual([5, false, 1]);
  expect(differences(before, look())).toEqual([]);
});
