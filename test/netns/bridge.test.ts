// needs: bridge
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { planBridge } from '../../src/plan/bridge.ts';
import type { HostFacts } from '../../src/plan/facts.ts';
import { putFile } from '../../src/plan/files.ts';
import type { Plan } from '../../src/plan/step.ts';
import { IPV4_FORWARD, setAttribute, shareAttribute } from '../../src/plan/sysctl.ts';
import { apply } from '../../src/run/apply.ts';
import { openEngine } from '../../src/run/open-engine.ts';
import { undoChange } from '../../src/run/recover.ts';
import { differences, snapshot } from '../snapshot.ts';
import { makeTree, type Tree } from './tree.ts';

let tree: Tree;
beforeEach(() => {
  tree = makeTree();
});
afterEach(() => tree.remove());

function planAll(facts: HostFacts): Plan<HostFacts> {
  const bridge = planBridge({ name: 'br-t', lifetime: { untilUndone: 'x' } }, facts);
  return {
    steps: [
      ...bridge.steps,
      setAttribute('/proc/sys/net/ipv6/conf/br-t/accept_ra', '0', 'ignore router advertisements on br-t'),
      shareAttribute(IPV4_FORWARD, '1', 'let the host route IPv4'),
      putFile({ path: `${tree.etc}/br-t.conf` as `/${string}`, content: 'hello\n' }),
    ],
  };
}

test('a bridge, an attribute and a file are made, and taken back to the last byte', async () => {
  const engine = openEngine({ tool: 'qlaunch test', env: tree.env });
  const before = snapshot({ files: [tree.etc] });
  const journal = await apply(
    engine,
    { title: 'test', lifetime: { untilUndone: 'x' }, holder: 'until-undone' },
    planAll,
  );
  expect(existsSync('/sys/class/net/br-t')).toBe(true);
  expect(readFileSync(IPV4_FORWARD, 'utf8')).toBe('1\n');
  expect(readFileSync(`${tree.etc}/br-t.conf`, 'utf8')).toBe('hello\n');
  const result = await undoChange(engine, journal.head.id);
  expect(result).toMatchObject({ undone: [journal.head.id], left: [], said: [], exit: 0 });
  expect(differences(before, snapshot({ files: [tree.etc] }))).toEqual([]);
  expect(readdirSync(`${tree.root}/run/journal`)).toEqual([]);
  expect(readdirSync(`${tree.root}/run/shared`)).toEqual([]);
});
