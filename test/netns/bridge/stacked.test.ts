// needs: bridge, veth, 8021q, bond
import { readFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { createUplink } from '../../../src/run/bridge/uplink.ts';
import { openEngine } from '../../../src/run/open-engine.ts';
import { undoChange } from '../../../src/run/recover.ts';
import { differences, type Snapshot, snapshot } from '../../snapshot.ts';
import { makeTree } from '../tree.ts';
import { cable, ip, NIC, quiet } from './outside.ts';

const look = (): Snapshot => snapshot({ files: [] });

/** Made and proven (the gateway of the default route answers over it), and taken back: as before. In one process: the lab is slow. */
async function expectMoved(uplink: string, address: string, gateway: string): Promise<void> {
  const tree = makeTree();
  onTestFinished(() => tree.remove());
  const engine = openEngine({ tool: 'qlaunch test', env: tree.env });
  const before = look();
  const { id, proven } = await createUplink(engine, { name: 'br0', uplink, force: false });
  expect(proven.gateways).toEqual([gateway]);
  expect(ip(`-o address show dev ${uplink}`)).toBe('');
  expect(ip('-o address show dev br0')).toContain(address);
  expect(await undoChange(engine, id)).toMatchObject({ undone: [id], left: [], said: [] });
  expect(differences(before, look())).toEqual([]);
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
  await expectMoved(`${NIC}.30`, '10.30.0.50', '10.30.0.1');
}, 300_000);

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
  const tree = makeTree();
  onTestFinished(() => tree.remove());
  const refused = createUplink(openEngine({ tool: 'qlaunch test', env: tree.env }), {
    ...{ name: 'br0', uplink: NIC, force: false },
  });
  await expect(refused).rejects.toMatchObject({
    code: 'QL_NOT_A_PORT',
    todo: ['qlaunch bridge create BR --uplink bond0   # the bond as a whole'],
  });
  const mac = readFileSync('/sys/class/net/bond0/address', 'utf8');
  await expectMoved('bond0', '10.9.0.50', '10.9.0.1');
  expect(readFileSync('/sys/class/net/bond0/address', 'utf8')).toBe(mac);
}, 300_000);
