// needs: bridge, nft_inet, nft_nat, veth
/** libvirt's networks and ours, each on a host of its own, side by side. */
import { expect, test } from 'vitest';
import { furnish, measureWays } from './parity/measure.ts';
import { libvirtSide, qlaunchSide } from './parity/sides.ts';
import { expectedWays } from './parity/table.ts';

test('what passes on a network of libvirt passes on ours, and what not not, but for what is listed', async () => {
  const sides = await Promise.all([libvirtSide(), qlaunchSide()]);
  const worlds = await Promise.all(sides.map(furnish));
  const [libvirt, ours] = await Promise.all(worlds.map(measureWays));
  expect(libvirt).toEqual(expectedWays('libvirt'));
  expect(ours).toEqual(expectedWays('qlaunch'));
}, 180_000);
