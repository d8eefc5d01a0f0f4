import { expect, test } from 'vitest';
import { IPV4_FORWARD, IPV6_FORWARD, keepHearing, shareAttribute } from '../../../../src/plan/sysctl.ts';
import { apply } from '../../../../src/run/apply.ts';
import type { Recovered } from '../../../../src/run/recover.ts';
import { recover, release } from '../../../../src/run/recover.ts';
import { doomed, FakeWorld } from '../../../fake-engine.ts';

const REDIRECTS = '/proc/sys/net/ipv4/conf/all/accept_redirects';
const LO = '/proc/sys/net/ipv4/conf/lo/forwarding';

const use = (world: FakeWorld, vm: string): Promise<unknown> =>
  apply(world.engine(), { title: vm, lifetime: { vm } }, () => ({
    steps: [shareAttribute(IPV4_FORWARD, '1', 'let the host route IPv4')],
  }));

function leave(world: FakeWorld, vm: string): Promise<Recovered> {
  world.killAll();
  return release(world.engine(), { vm });
}

test('the last user puts it back, with all that it dragged along', async () => {
  const world = new FakeWorld();
  world.host.links.write(REDIRECTS, '0');
  world.host.links.write(LO, '1');
  const before = world.host.state();
  await use(world, 'a');
  await use(world, 'b');
  await leave(world, 'a');
  expect(world.host.links.read(IPV4_FORWARD)).toBe('1');
  expect(await leave(world, 'b')).toMatchObject({ said: [], left: [] });
  expect([world.host.state(), world.open]).toEqual([before, []]);
});

test('what was on before stays on', async () => {
  const world = new FakeWorld();
  world.host.links.write(IPV4_FORWARD, '1');
  const before = world.host.state();
  await use(world, 'a');
  await leave(world, 'a');
  expect([world.host.state(), world.open]).toEqual([before, []]);
});

test('what a stranger switched off stays off', async () => {
  const world = new FakeWorld();
  const before = world.host.state();
  await use(world, 'a');
  world.host.links.write(IPV4_FORWARD, '0');
  expect((await leave(world, 'a')).said).toEqual([]);
  expect([world.host.state(), world.open]).toEqual([before, []]);
});

test('what a stranger set along the way is as he set it', async () => {
  const world = new FakeWorld();
  await use(world, 'a');
  world.host.links.write(REDIRECTS, '1');
  world.host.links.write(LO, '0');
  await leave(world, 'a');
  expect([REDIRECTS, LO, IPV4_FORWARD].map((path) => world.host.links.read(path))).toEqual(['1', '0', '0']);
});

test('while another forwarder lives it stays on, and that is said', async () => {
  const world = new FakeWorld();
  await use(world, 'a');
  world.host.links.command(['link', 'add', 'name', 'docker0', 'type', 'bridge']);
  expect((await leave(world, 'a')).said).toEqual([`left at 1: ${IPV4_FORWARD} is needed by docker0`]);
  expect([world.host.links.read(IPV4_FORWARD), world.open]).toEqual(['1', []]);
});

test('an uplink goes on hearing its router while the host routes IPv6, for us or for somebody else', async () => {
  const world = new FakeWorld();
  world.host.links.command(['link', 'add', 'name', 'up0', 'type', 'bridge']);
  const path = '/proc/sys/net/ipv6/conf/up0/accept_ra';
  const before = world.host.state();
  const route = (vm: string): Promise<unknown> =>
    apply(world.engine(), { title: vm, lifetime: { vm } }, () => ({
      steps: [keepHearing('up0'), shareAttribute(IPV6_FORWARD, '1', 'let the host route IPv6')],
    }));
  await route('a');
  await route('b');
  await leave(world, 'a');
  expect([path, IPV6_FORWARD].map((one) => world.host.links.read(one))).toEqual(['2', '1']);
  await leave(world, 'b');
  expect([world.host.state(), world.open]).toEqual([before, []]);
  await route('a');
  world.host.links.command(['link', 'add', 'name', 'docker0', 'type', 'bridge']);
  expect((await leave(world, 'a')).said).toEqual([
    `left at 1: ${IPV6_FORWARD} is needed by docker0`,
    'left at 2: this host still routes IPv6, and would not hear its routers any more',
  ]);
  expect([path, IPV6_FORWARD].map((one) => world.host.links.read(one))).toEqual(['2', '1']);
});

test('a record that can not be believed is not acted upon', async () => {
  const world = new FakeWorld();
  await use(world, 'a');
  for (const [name, text] of world.shared.files)
    world.shared.files.set(name, text.replace('"users"', '"Users"'));
  const before = world.host.state();
  const { left, exit } = await leave(world, 'a');
  expect(left).toEqual([
    expect.objectContaining({ why: expect.stringContaining('can not be believed') as string }),
  ]);
  expect([exit, world.host.state()]).toEqual([6, before]);
});

test('killed at any touch while the last user leaves, all that was dragged along is put back', async () => {
  for (let at = 1, killed = true; killed; at += 1) {
    const world = new FakeWorld();
    world.host.links.write(REDIRECTS, '0');
    world.host.links.write(LO, '1');
    const before = world.host.state();
    await use(world, 'a');
    world.killAll();
    const process = doomed(world.engine(), { kind: 'kill', at, effect: true });
    killed = (await Promise.race([release(process.engine, { vm: 'a' }), process.died])) === 'killed';
    world.killAll();
    await recover(world.engine());
    expect([at, world.host.state(), world.open]).toEqual([at, before, []]);
  }
});
