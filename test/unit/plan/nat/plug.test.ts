import { expect, test } from 'vitest';
import { plugIn } from '../../../../src/plan/nat/plug.ts';
import type { NatNet } from '../../../../src/spec/net-spec.ts';

const NIC: NatNet = {
  mode: 'nat',
  network: 'lab',
  id: 'net0',
  model: 'virtio',
  queues: 1,
  forwards: [],
  at: '--net',
};

test('the port of an isolated network is isolated; one of another network is as it was', () => {
  const plug = (isolated: boolean): unknown =>
    plugIn(
      [NIC],
      new Map([['lab', { bridge: 'lab0', by: 'tap', ...(isolated ? { isolated: true as const } : {}) }]]),
    )[0];
  expect(plug(true)).toMatchObject({ mode: 'tap', bridge: 'lab0', isolated: true });
  expect(plug(false)).not.toHaveProperty('isolated');
  expect(plugIn([NIC], new Map())).toEqual([NIC]);
});

test('a portgroup is what the port gets: the one that is named, else the default one', () => {
  const portgroups = [
    { name: 'a', isDefault: true as const, vlan: 7 },
    { name: 'b', isolated: true },
  ];
  const plug = (portgroup?: string): unknown =>
    plugIn(
      [{ ...NIC, ...(portgroup === undefined ? {} : { portgroup }) }],
      new Map([['lab', { bridge: 'lab0', by: 'tap', portgroups }]]),
    )[0];
  expect(plug()).toMatchObject({ mode: 'tap', vlan: 7 });
  expect(plug('b')).toMatchObject({ isolated: true });
  for (const port of [plug(), plug('b')])
    for (const key of ['name', 'isDefault', 'portgroup']) expect(port).not.toHaveProperty(key);
  expect(plug('b')).not.toHaveProperty('vlan');
});
