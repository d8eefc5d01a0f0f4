// needs: bridge, tap
import { spawnSync } from 'node:child_process';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readFacts } from '../../src/host/facts.ts';
import { renderPlan } from '../../src/plan/render.ts';
import { apply } from '../../src/run/apply.ts';
import { execute, type Order } from '../../src/run/change/execute.ts';
import { renderUndoScript } from '../../src/run/change/undo-script.ts';
import type { Engine } from '../../src/run/engine.ts';
import { openEngine } from '../../src/run/open-engine.ts';
import { release } from '../../src/run/recover.ts';
import { differences, type Snapshot, snapshot } from '../snapshot.ts';
import { LIFETIME, PLANS, planner } from './plans.ts';
import { filesLeft, makeTree, type Tree } from './tree.ts';

let tree: Tree;
let engine: Engine;
beforeEach(() => {
  tree = makeTree();
  writeFileSync(join(tree.etc, 'there.conf'), "old 'quoted' $HOME\n", { mode: 0o640 });
  symlinkSync('there.conf', join(tree.etc, 'link.conf'));
  engine = openEngine({ tool: 'qlaunch test', env: tree.env });
});
afterEach(() => tree.remove());

const ORDER: Order = { title: 'test', lifetime: LIFETIME };
const look = (): Snapshot => snapshot({ files: [tree.etc] });
const LOCK = { waitSeconds: 1, insist: false };

async function script(name: string): Promise<{ id: string; text: string }> {
  const journal = await apply(engine, ORDER, planner(name, tree.etc));
  const lock = { ...LOCK, path: join(tree.root, 'run/lock/host') };
  return { id: journal.head.id, text: await renderUndoScript(engine, journal, { lock }) };
}

describe.each(Object.keys(PLANS))('%s', (name: string) => {
  test('the undo as a script leaves everything as before, twice', async () => {
    const before = look();
    const { text } = await script(name);
    expect(differences(before, look())).not.toEqual([]);
    for (const run of [1, 2]) {
      const result = spawnSync('sh', ['-s'], { input: text, encoding: 'utf8' });
      expect({ run, status: result.status }).toEqual({ run, status: 0 });
      if (run === 1) expect(result.stderr).toBe('');
      expect(differences(before, look())).toEqual([]);
    }
    expect(filesLeft(tree)).toEqual([]);
    expect(await release(engine, LIFETIME)).toMatchObject({ undone: [], left: [] });
  });

  test('what --dry-run prints does what is run', async () => {
    const before = look();
    const plan = planner(name, tree.etc)(await readFacts(engine.machine));
    const journal = await engine.locked('test', () => execute(engine, { steps: plan.steps }, ORDER));
    const run = comparable(look());
    await release(engine, LIFETIME);
    expect(differences(before, look())).toEqual([]);
    const printed = spawnSync('sh', ['-e'], { input: renderPlan({ steps: plan.steps }), encoding: 'utf8' });
    // The only tool that speaks when all is well.
    const stderr = printed.stderr.replace('dnsmasq: syntax check OK.\n', '');
    expect({ status: printed.status, stderr }).toEqual({ status: 0, stderr: '' });
    const pasted = look();
    for (const name of ['br-t', 'tap-t']) spawnSync('ip', ['link', 'delete', 'dev', name]);
    putBackSysctls(before, pasted);
    expect(journal.entries.length).toBeGreaterThan(1);
    expect(differences(run, comparable(pasted))).toEqual([]);
  });
});

describe('a tap whose user gave it another address', () => {
  async function takenBack(undo: () => Promise<void>): Promise<void> {
    const before = look();
    await undo();
    expect(differences(before, look())).toEqual([]);
  }
  const readdress = (): void =>
    void spawnSync('ip', ['link', 'set', 'dev', 'tap-t', 'address', '02:00:00:00:00:99']);

  test('is ours still: recover takes it back', () =>
    takenBack(async () => {
      await apply(engine, ORDER, planner('taps', tree.etc));
      readdress();
      expect(await release(engine, LIFETIME)).toMatchObject({ said: [], left: [] });
    }));

  test('and the guard’s script', () =>
    takenBack(async () => {
      const { text } = await script('taps');
      readdress();
      const { status, stderr } = spawnSync('sh', ['-s'], { input: text, encoding: 'utf8' });
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    }));
});

/** A link that is made again has another number. */
function comparable(facts: Snapshot): Snapshot {
  return new Map(
    [...facts]
      .filter(([key]) => !key.endsWith('ifindex'))
      .map(([key, value]) => [key.replaceAll(/(ifindex|handle)=\d+/g, ''), value]),
  );
}

function putBackSysctls(before: Snapshot, now: Snapshot): void {
  for (const [key, value] of before) {
    if (key.startsWith('sysctl ') && now.get(key) !== value)
      writeFileSync(`/proc/sys/${key.slice('sysctl '.length)}`, value);
  }
}
