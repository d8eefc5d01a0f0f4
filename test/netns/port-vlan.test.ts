// needs: bridge, tap, veth, vlan_filtering
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { linkNamed } from '../../src/plan/facts.ts';
import type { KnownPort } from '../../src/plan/nat/known-port.ts';
import { lostPorts } from '../../src/plan/nat/ports.ts';
import { planTaps } from '../../src/plan/tap/managed.ts';
import { apply } from '../../src/run/apply.ts';
import { openEngine } from '../../src/run/open-engine.ts';
import { release, undoChange } from '../../src/run/recover.ts';
import { differences, snapshot } from '../snapshot.ts';
import { makeTree, type Tree } from './tree.ts';

const ip = (line: string): void => void execFileSync('ip', line.split(' '));

let tree: Tree;
beforeEach(async () => {
  tree = makeTree();
  // With an uplink, as a bridge with VLANs has one: a bridge without any port would take its MAC from the first tap.
  ip('link add br-t type bridge vlan_filtering 1');
  ip('link add up0 type veth peer name up1');
  ip('link set up0 master br-t');
  for (const name of ['up0', 'up1', 'br-t']) ip(`link set ${name} addrgenmode none`);
  for (const name of ['up0', 'up1', 'br-t']) ip(`link set ${name} up`);
  const operstate = (): string => readFileSync('/sys/class/net/br-t/operstate', 'utf8');
  // The kernel tells of links once in a second (linkwatch).
  await expect.poll(operstate, { timeout: 30_000 }).toBe('up\n');
});
afterEach(() => {
  for (const name of ['up0', 'br-t']) if (existsSync(`/sys/class/net/${name}`)) ip(`link delete dev ${name}`);
  tree.remove();
});

interface VlanRow {
  readonly ifname: string;
  readonly vlans: readonly {
    readonly vlan: number;
    readonly vlanEnd?: number;
    readonly flags?: readonly string[];
  }[];
}

test('a port is in its VLAN untagged, gets its trunk tagged, and leaves nothing', async () => {
  const engine = openEngine({ tool: 'qlaunch test', env: tree.env });
  const before = snapshot();
  const wish = { name: 'tap-t', uid: 0, queues: 1, bridge: 'br-t', vlan: 10, trunk: [{ from: 20, to: 22 }] };
  const lifetime = { untilUndone: 'x' };
  const order = { title: 'test', lifetime, holder: 'until-undone' } as const;
  const journal = await apply(engine, order, (facts) => planTaps([wish], lifetime, facts));
  const rows: VlanRow[] = JSON.parse(execFileSync('bridge', ['-j', 'vlan', 'show'], { encoding: 'utf8' }));
  const vlans = rows.find(({ ifname }) => ifname === 'tap-t')?.vlans ?? [];
  expect(vlans.find(({ vlan }) => vlan === 10)?.flags).toEqual(['PVID', 'Egress Untagged']);
  expect(vlans.filter(({ vlan }) => vlan !== 10).every(({ flags = [] }) => flags.length === 0)).toBe(true);
  expect(vlans.some(({ vlan }) => vlan === 1)).toBe(false);
  expect(vlans.some(({ vlan, vlanEnd = vlan }) => vlan <= 21 && vlanEnd >= 21)).toBe(true);
  expect(await undoChange(engine, journal.head.id)).toMatchObject({ left: [], exit: 0 });
  expect(differences(before, snapshot())).toEqual([]);
});

test('a tap that fell out of its bridge is in its VLAN again, and in no other', async () => {
  const engine = openEngine({ tool: 'qlaunch test', env: tree.env });
  const lifetime = { vm: 'web' };
  const had = { vlan: 10, trunk: [{ from: 20, to: 22 }] };
  const wish = { name: 'tap-t', uid: 0, queues: 1, bridge: 'br-t', ...had };
  await apply(engine, { title: 'test', lifetime }, (facts) => planTaps([wish], lifetime, facts));
  const vlans = (): string => execFileSync('bridge', ['vlan', 'show', 'dev', 'tap-t'], { encoding: 'utf8' });
  const asMade = vlans();
  expect(asMade).toMatch(/\b10 PVID Egress Untagged/);
  ip('link set dev tap-t nomaster');
  const port: KnownPort = { v: 1, network: 'lab', vm: 'web', tap: 'tap-t', ...had };
  await apply(engine, { title: 'again', lifetime }, (facts) => {
    const bridge = linkNamed(facts, 'br-t');
    return {
      steps: bridge === undefined ? [] : lostPorts([port], bridge, facts).flatMap(({ steps }) => steps),
    };
  });
  expect(vlans()).toBe(asMade);
  expect(await release(engine, lifetime)).toMatchObject({ left: [] });
});
