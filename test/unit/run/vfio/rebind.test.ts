import { expect, test } from 'vitest';
import { readFunctions, readGroups } from '../../../../src/host/vfio/bus.ts';
import { planBind } from '../../../../src/plan/vfio/bind.ts';
import type { VfioFacts } from '../../../../src/plan/vfio/facts.ts';
import { execute } from '../../../../src/run/change/execute.ts';
import type { Engine } from '../../../../src/run/engine.ts';
import { recover, undoChange } from '../../../../src/run/recover.ts';
import { doomed, FakeWorld, type Grief } from '../../../fake-engine.ts';
import { FakePci } from '../../../fake-pci.ts';

const [A, B] = ['0000:01:00.0', '0000:01:00.1'];
const MACHINE = `
iommu DMAR
${A} 8086:1521 020000 group=14 driver=igb net=eth1
${B} 8086:1521 020000 group=14 driver=igb net=eth2 override=igb
0000:02:00.0 8086:10d3 020000 group=15 native=e1000e
`;
const LIFETIME = { vm: 'test' };
/** A hundred buses are built. */
const MANY = { timeout: 60_000 };

interface Scene {
  readonly pci: FakePci;
  readonly world: FakeWorld;
  readonly before: string;
  engine(): Engine;
}

function scene(): Scene {
  const world = new FakeWorld();
  const pci = new FakePci(MACHINE, world.host.machine);
  Object.assign(pci.net(A, 'eth1'), { mtu: 9000, up: true, master: 'br0', addresses: ['192.0.2.7/24'] });
  return { pci, world, before: pci.state(), engine: () => ({ ...world.engine(), machine: pci.machine }) };
}

function steps(pci: FakePci): ReturnType<typeof planBind> {
  const functions = readFunctions(pci.tree.root, []);
  const facts = { functions, groups: readGroups(pci.tree.root), modules: { pci: true, type1: true } };
  return planBind({ functions, facts: facts as unknown as VfioFacts, udev: false });
}

const order = { title: 'vfio bind', lifetime: LIFETIME };
const bindAll = (engine: Engine, pci: FakePci): ReturnType<typeof execute> =>
  execute(engine, { steps: steps(pci) }, order);

test('bound, and given back: driver, override, interface', async () => {
  const { pci, before, engine } = scene();
  const one = engine();
  const journal = await bindAll(one, pci);
  expect([pci.driver(A), pci.driver(B)]).toEqual(['vfio-pci', 'vfio-pci']);
  expect(pci.state()).not.toBe(before);
  const { left, said } = await undoChange(one, journal.head.id);
  expect({ left, said }).toEqual({ left: [], said: [] });
  expect(pci.state()).toBe(before);
});

test('the name of the driver that may have it is written before it is let go, on the way there and back', async () => {
  const { pci, engine } = scene();
  const one = engine();
  const journal = await bindAll(one, pci);
  await undoChange(one, journal.head.id);
  const of = pci.writes.filter((line) => line.includes(A)).map((line) => line.replace('/sys/bus/pci/', ''));
  expect(of).toEqual([
    `devices/${A}/driver_override vfio-pci`,
    `drivers/igb/unbind ${A}`,
    `drivers/vfio-pci/bind ${A}`,
    `devices/${A}/driver_override igb`,
    `drivers/vfio-pci/unbind ${A}`,
    `drivers/igb/bind ${A}`,
    `devices/${A}/driver_override`,
  ]);
});

test('nobody else gets it in between, whenever the bus is probed', async () => {
  const { pci, before, engine } = scene();
  const one = engine();
  pci.before = () => {
    pci.probeAll();
    return 'as it is';
  };
  // The third one has no driver, and is probed as well: that is not ours to undo.
  pci.failProbe('0000:02:00.0', 'e1000e');
  const journal = await bindAll(one, pci);
  expect([pci.driver(A), pci.driver(B)]).toEqual(['vfio-pci', 'vfio-pci']);
  await undoChange(one, journal.head.id);
  expect(pci.state()).toBe(before);
});

test('bound a second time nothing is written, and nothing is taken back', async () => {
  const { pci, engine } = scene();
  await bindAll(engine(), pci);
  const count = pci.writes.length;
  const two = engine();
  expect((await bindAll(two, pci)).open).toEqual([]);
  expect(pci.writes).toHaveLength(count);
});

/** How often a whole bind touches the machine or the journal; the kills below go through all of them. */
async function touchesOf(work: (engine: Engine, one: Scene) => Promise<unknown>): Promise<number> {
  const one = scene();
  const counting = doomed(one.engine());
  await work(counting.engine, one);
  return counting.touches();
}

const bindThen = async (engine: Engine, { pci }: Scene): Promise<unknown> => bindAll(engine, pci);

test('killed at every touch, before or after its effect, and then recovered: as before', MANY, async () => {
  const count = await touchesOf(bindThen);
  expect(count).toBeGreaterThan(12);
  for (let at = 1; at <= count; at += 1)
    for (const effect of [false, true]) await survives({ kind: 'kill', at, effect });
});

async function survives(grief: Grief): Promise<void> {
  const one = scene();
  const mortal = doomed(one.engine(), grief);
  await Promise.race([mortal.died, bindThen(mortal.engine, one).catch(() => undefined)]);
  one.world.killAll();
  const { left, said } = await recover(one.engine());
  expect({ grief, left, said }).toEqual({ grief, left: [], said: [] });
  expect({ grief, state: one.pci.state() }).toEqual({ grief, state: one.before });
}

test('refused or hanging at every write: taken back at once, or what is left is said', MANY, async () => {
  const count = await touchesOf(bindThen);
  for (let at = 1; at <= count; at += 1)
    for (const grief of [
      { kind: 'refuse', at },
      { kind: 'hang', at, effect: true },
      { kind: 'hang', at, effect: false },
    ] as const) {
      const one = scene();
      const mortal = doomed(one.engine(), grief);
      const error: unknown = await bindThen(mortal.engine, one).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      if (error !== undefined) expect(error).toMatchObject({ code: expect.stringMatching(/^QL_/) });
      one.world.killAll();
      await recover(one.engine());
      expect({ grief, state: one.pci.state() }).toEqual({ grief, state: one.before });
    }
});

test('killed at every touch of giving back, and then recovered: as before', MANY, async () => {
  const giveBack = async (engine: Engine): Promise<unknown> => recover(engine);
  const bound = async (): Promise<Scene> => {
    const one = scene();
    await bindAll(one.engine(), one.pci);
    one.world.killAll();
    return one;
  };
  const first = await bound();
  const counting = doomed(first.engine());
  await giveBack(counting.engine);
  for (let at = 1; at <= counting.touches(); at += 1)
    for (const effect of [false, true]) {
      const one = await bound();
      const mortal = doomed(one.engine(), { kind: 'kill', at, effect });
      await Promise.race([mortal.died, giveBack(mortal.engine).catch(() => undefined)]);
      one.world.killAll();
      await recover(one.engine());
      expect({ at, effect, state: one.pci.state() }).toEqual({ at, effect, state: one.before });
    }
});

test('a write that succeeds without an effect is noticed', async () => {
  const { pci, before, engine } = scene();
  pci.before = (path) => (path.endsWith('/vfio-pci/bind') ? 'nothing' : 'as it is');
  await expect(bindAll(engine(), pci)).rejects.toMatchObject({
    code: 'QL_STEP_REFUSED',
    why: [expect.stringContaining('the kernel took the write and did nothing')],
  });
  expect(pci.state()).toBe(before);
});

test('a device that was pulled out is left at that', async () => {
  const { pci, engine } = scene();
  const one = engine();
  const journal = await bindAll(one, pci);
  pci.vanish(B);
  const result = await undoChange(one, journal.head.id);
  expect(result).toMatchObject({ left: [], said: [`left alone: ${B} is not there any more`] });
  expect(pci.driver(A)).toBe('igb');
});

test('what somebody bound to a third driver since stays theirs', async () => {
  const { pci, engine } = scene();
  const one = engine();
  const journal = await bindAll(one, pci);
  pci.write('/sys/bus/pci/drivers/vfio-pci/unbind', A);
  pci.write(`/sys/bus/pci/devices/${A}/driver_override`, 'other');
  pci.write('/sys/bus/pci/drivers/other/bind', A);
  const result = await undoChange(one, journal.head.id);
  expect(result).toMatchObject({ left: [], said: [`left alone: somebody bound ${A} to other since`] });
  expect(pci.driver(A)).toBe('other');
});

test('a driver that does not take it back: no override stays, and it is told', async () => {
  const { pci, engine } = scene();
  const one = engine();
  const journal = await bindAll(one, pci);
  pci.failProbe(A, 'igb');
  const { left } = await undoChange(one, journal.head.id);
  expect(left).toMatchObject([{ why: expect.stringContaining('could not be bound to igb'), stuck: false }]);
  expect(left[0]?.byHand).toContain(`printf %s ${A} > /sys/bus/pci/drivers/igb/bind`);
  expect(JSON.parse(pci.state())[0][0]).toMatchObject({ address: A, override: '' });
});

test('with a process that has the group open it is not taken away', async () => {
  const { pci, engine } = scene();
  const one = engine();
  const journal = await bindAll(one, pci);
  pci.tree.put('/proc/4711/comm', 'qemu-system-x86\n');
  pci.tree.link('/proc/4711/fd/9', '/dev/vfio/14');
  const capture = pci.machine.capture;
  const absolute: Engine = {
    ...one,
    machine: {
      ...pci.machine,
      capture: async (path) => (path === '/proc/4711/fd/9' ? { linkTo: '/dev/vfio/14' } : capture(path)),
    },
  };
  const { left } = await undoChange(absolute, journal.head.id);
  expect(left).toHaveLength(2);
  expect(left[0]?.why).toContain('is in use by pid 4711 (qemu-system-x86)');
  expect(pci.driver(A)).toBe('vfio-pci');
});
