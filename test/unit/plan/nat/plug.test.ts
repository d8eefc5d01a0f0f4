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
