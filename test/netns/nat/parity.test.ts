// needs: bridge, nft_inet, nft_nat, veth
/** libvirt's networks and ours, each on a host of its own, side by side. */
import { expect, test } from 'vitest';
import { measureAnswers, stopAll } from './parity/answers.ts';
import { furnish, measureWays, type World } from './parity/measure.ts';
import { libvirtSide, qlaunchSide } from './parity/sides.ts';
import { type Answers, expectedAnswers, expectedWays, type Ways } from './parity/table.ts';

test('our networks do what libvirt’s do, but for what is listed', async () => {
  const sides = await Promise.all([libvirtSide(), qlaunchSide()]);
  const worlds = await Promise.all(sides.map(furnish));
  const [libvirt, ours] = await Promise.all(worlds.map(measure));
  expect(libvirt).toEqual({ ways: expectedWays('libvirt'), answers: expectedAnswers('libvirt') });
  expect(ours).toEqual({ ways: expectedWays('qlaunch'), answers: expectedAnswers('qlaunch') });
}, 180_000);

async function measure(world: World): Promise<{ readonly ways: Ways; readonly answers: Answers }> {
  const [ways, answers] = await Promise.all([measureWays(world), measureAnswers(world)]);
  return { ways, answers: { ...answers, ...(await stopAll(world)) } };
}
