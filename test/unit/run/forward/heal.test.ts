import { expect, test } from 'vitest';
import { forwardSteps } from '../../../../src/plan/nat/guest.ts';
import { apply } from '../../../../src/run/apply.ts';
import { unknownForwards } from '../../../../src/run/forward/heal.ts';
import type { VmStatus } from '../../../../src/run/vm/status.ts';
import { FakeWorld } from '../../../fake-engine.ts';

const FORWARD = { proto: 'tcp', address: '203.0.113.2', hostPort: 8080, guestPort: 80 } as const;

function web(tap: string, forwards: readonly (typeof FORWARD)[]): VmStatus {
  const nics = forwards.length === 0 ? [] : [{ id: 'net0', mode: 'nat', mac: '52:54:00:00:00:01', forwards }];
  const argv = ['qemu', '-netdev', `tap,id=net0,ifname=${tap}`];
  return {
    ...{ dir: `/run/${tap}`, state: 'running', pid: 1 },
    record: {
      ...{ v: 1, name: 'web', identity: '', uid: 1000, startedAt: '2026-01-01', detached: true },
      ...{ argv, socketDir: `/run/${tap}`, serial: '', nics, disks: [] },
    },
  };
}

/** uid 1000's `web`, whose forwards are of the tap qt-a0. */
async function forwarded(): Promise<FakeWorld> {
  const world = new FakeWorld();
  const engine = world.engine();
  const guest = { tap: 'qt-a0', mac: '', address: '10.9.0.5', bridge: 'lab0', subnet: '10.9.0.0/24' };
  const order = { title: 'tap', lifetime: { vm: '1000/web' }, holder: engine.world.self };
  // The fake machine has a shell which says yes, and no nft.
  const steps = forwardSteps(guest, FORWARD, 'qlaunch').map((step) => ({
    ...step,
    do: { run: ['sh'] as const },
  }));
  await apply(engine, order, () => ({ steps }));
  return world;
}

test('a forward that no record knows is what a killed command left, and nothing else is', async () => {
  const engine = (await forwarded()).engine();
  const asked = (...vms: readonly VmStatus[]): number => unknownForwards(engine, vms).length;
  const [mine, lost, namesake] = [web('qt-a0', [FORWARD]), web('qt-a0', []), web('qt-b0', [FORWARD])];
  expect(asked(mine)).toBe(0);
  expect(asked(lost)).toBe(1);
  // In another root of the same user, and first of the two.
  expect(asked(namesake, mine)).toBe(0);
  expect(asked(namesake)).toBe(1);
  // Its record can not be read: it may know of it.
  expect(asked({ ...lost, damaged: true })).toBe(0);
  expect(asked(namesake, { ...lost, damaged: true })).toBe(0);
});
