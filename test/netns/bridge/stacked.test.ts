// needs: bridge, veth, 8021q, bond
import { readFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { differences, type Snapshot, snapshot } from '../../snapshot.ts';
import { world } from '../../tiers/cli.ts';
import { cable, ip, NIC, quiet, talk } from './outside.ts';

const look = (): Snapshot => snapshot({ files: [] });

/** Made, spoken over from outside, and taken back: as before. */
async function expectMoved(uplink: string, addresses: readonly string[]): Promise<void> {
  const { qlaunch } = world();
  const before = look();
  const end = await talk(addresses);
  const made = await qlaunch('bridge', 'create', 'br0', '--uplink', uplink);
  expect(made).toMatchObject({ status: 0, stderr: '' });
  expect(made.stdout).toContain('over br0');
  expect(ip(`-o address show dev ${uplink}`)).toBe('');
  expect(ip('-o address show dev br0')).toContain(addresses[0]);
  expect(await qlaunch('bridge', 'revert')).toMatchObject({ status: 0 });
  expect(differences(before, look())).toEqual([]);
  for (const stream of await end()) {
    expect(stream).toMatchObject({ ended: false });
    expect(stream.maxGapMs).toBeLessThan(1_000);
  }
}

test('a VLAN is the uplink: its tag stays outside of the bridge, the NIC below it is left alone', async () => {
  cable();
  ip(`link add link ${NIC} name ${NIC}.30 type vlan id 30`);
  ip('netns exec outside ip link add link far name far.30 type vlan id 30');
  for (const line of ['link set far.30 up', 'address add 10.30.0.1/24 dev far.30'])
    ip(`netns exec outside ip ${line}`);
  ip(`link set ${NIC}.30 up`);
  ip(`address add 10.30.0.50/24 dev ${NIC}.30`);
  ip(`address add 10.9.0.50/24 dev ${NIC}`);
  ip('route add default via 10.30.0.1');
  await quiet();
  await expectMoved(`${NIC}.30`, ['10.30.0.50', '10.9.0.50']);
}, 90_000);

test('a bond is the uplink, and its members are refused as one', async () => {
  cable();
  ip('link add bond0 type bond mode active-backup miimon 100');
  onTestFinished(() => void ip('link delete bond0'));
  ip(`link set ${NIC} down`);
  ip(`link set ${NIC} master bond0`);
  ip('link set bond0 up');
  ip('address add 10.9.0.50/24 dev bond0');
  ip('route add default via 10.9.0.1');
  // A link-local address of its own, or the snapshot would see it come.
  await expect
    .poll(() => ip('-6 -o address show dev bond0'), { timeout: 20_000 })
    .toMatch(/fe80(?!.*tentative)/);
  const { qlaunch } = world();
  const { status, stderr } = await qlaunch('bridge', 'create', 'br0', '--uplink', NIC);
  expect([status, stderr]).toEqual([3, expect.stringContaining('--uplink bond0   # the bond as a whole')]);
  const mac = readFileSync('/sys/class/net/bond0/address', 'utf8');
  await expectMoved('bond0', ['10.9.0.50']);
  expect(readFileSync('/sys/class/net/bond0/address', 'utf8')).toBe(mac);
}, 90_000);
