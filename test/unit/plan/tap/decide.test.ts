import { expect, test } from 'vitest';
import type { HostFacts, LinkFact } from '../../../../src/plan/facts.ts';
import { chooseTaps } from '../../../../src/plan/tap/decide.ts';
import type { TapNet } from '../../../../src/spec/net-spec.ts';
import type { VmSpec } from '../../../../src/spec/vm-spec.ts';

const ALICE = { uid: 1000, name: 'alice' };

const link = (ifname: string, more: Partial<LinkFact> = {}): LinkFact => ({
  ifindex: 1,
  ifname,
  mtu: 1500,
  flags: ['UP'],
  link_type: 'ether',
  addresses: [],
  ...more,
});
const bridge = (more: Partial<LinkFact> = {}): LinkFact => link('br0', { kind: 'bridge', ...more });
const tap = (more: Partial<LinkFact> = {}): LinkFact =>
  link('tap7', {
    kind: 'tun',
    tun: { type: 'tap', user: 'alice', multiQueue: false, persist: true },
    ...more,
  });

function choose(net: Partial<TapNet>, ...links: LinkFact[]): ReturnType<typeof chooseTaps> {
  const nic = { mode: 'tap', id: 'net0', model: 'virtio', queues: 1, at: '--net', ...net } as TapNet;
  const facts: HostFacts = { links, token: '0123456789ab' };
  return chooseTaps({ name: 'web', nets: [nic] } as unknown as VmSpec, ALICE, { vm: '1000/web' }, facts);
}

const codes = (choice: ReturnType<typeof chooseTaps>): string[] => choice.problems.map(({ code }) => code);

test('a tap that is not there is made for QEMU’s user', () => {
  const choice = choose({ bridge: 'br0' as never }, bridge());
  expect(choice).toMatchObject({
    names: { net0: 'qt-web0' },
    make: [{ name: 'qt-web0', uid: 1000, queues: 1, bridge: 'br0' }],
    problems: [],
    notes: [],
  });
});

test('without a bridge it is made all the same, and said', () => {
  const choice = choose({});
  expect(choice.make).toHaveLength(1);
  expect(choice.notes).toEqual([
    '--net: the tap qt-web0 is in no bridge; tap,bridge=BR makes it a port of one',
  ]);
});

test('a tap that is there is opened as it is', () => {
  expect(choose({ ifname: 'tap7' as never }, tap())).toMatchObject({
    names: { net0: 'tap7' },
    make: [],
    problems: [],
  });
});

test('a tap of nobody may be opened by everybody: allowed, and said', () => {
  const free = tap({ tun: { type: 'tap', multiQueue: false, persist: true } });
  expect(choose({ ifname: 'tap7' as never }, free)).toMatchObject({
    make: [],
    problems: [],
    notes: ['--net: the tap tap7 belongs to nobody, so every user may open it'],
  });
});

test('what is to type is quoted', () => {
  const name = 'b;reboot';
  const choice = choose({ ifname: name as never }, tap({ ifname: name, flags: [] }));
  expect(choice.problems.flatMap(({ todo }) => todo)).toEqual(["sudo ip link set dev 'b;reboot' up"]);
  const unplugged = choose({ bridge: name as never }, bridge());
  expect(unplugged.problems.flatMap(({ todo }) => todo)).toEqual(["sudo qlaunch bridge create 'b;reboot'"]);
});

test('what an earlier start of this VM left counts as not there; another VM’s does not', () => {
  const left = tap({ ifname: 'qt-web0', ifalias: 'qlaunch:vm/1000/web:0123456789ab' });
  expect(choose({}, left)).toMatchObject({ names: { net0: 'qt-web0' }, make: [{ name: 'qt-web0' }] });
  const other = tap({ ifname: 'qt-web0', ifalias: 'qlaunch:vm/1001/web:0123456789ab' });
  expect(choose({}, other).names['net0']).toMatch(/^qt-web-/);
});

test('two NICs do not share a tap', () => {
  const nic = { mode: 'tap', model: 'virtio', queues: 1, at: '--net', ifname: 'tap9' };
  const nets = [
    { ...nic, id: 'net0' },
    { ...nic, id: 'net1' },
  ];
  const choice = chooseTaps(
    { name: 'web', nets } as unknown as VmSpec,
    ALICE,
    { vm: 'web' },
    { links: [], token: '0123456789ab' },
  );
  expect(codes(choice)).toEqual(['QL_TAP']);
});

test.each<[string, Partial<TapNet>, LinkFact[], string]>([
  ['a bridge that is not there', { bridge: 'br9' as never }, [bridge()], 'QL_NO_BRIDGE'],
  ['a bridge that is none', { bridge: 'eth0' as never }, [link('eth0')], 'QL_NO_BRIDGE'],
  ['a bridge that is down', { bridge: 'br0' as never }, [bridge({ flags: [] })], 'QL_BRIDGE_DOWN'],
  ['more MTU than the bridge has', { bridge: 'br0' as never, mtu: 9000 }, [bridge()], 'QL_MTU'],
  ['something that is no tap', { ifname: 'tap7' as never }, [link('tap7', { kind: 'veth' })], 'QL_TAP'],
  [
    'another user’s tap',
    { ifname: 'tap7' as never },
    [tap({ tun: { type: 'tap', user: 'bob', multiQueue: false, persist: true } })],
    'QL_TAP',
  ],
  [
    'another user’s tap, though it has a group as well',
    { ifname: 'tap7' as never },
    [tap({ tun: { type: 'tap', user: 'bob', group: 'kvm', multiQueue: false, persist: true } })],
    'QL_TAP',
  ],
  ['a tap that is in use', { ifname: 'tap7' as never }, [tap({ flags: ['UP', 'LOWER_UP'] })], 'QL_TAP'],
  ['a tap that is down', { ifname: 'tap7' as never }, [tap({ flags: [] })], 'QL_TAP'],
  ['queues of a tap for one', { ifname: 'tap7' as never, queues: 2 }, [tap()], 'QL_TAP'],
  [
    'a tap on another bridge',
    { ifname: 'tap7' as never, bridge: 'br0' as never },
    [bridge(), tap({ master: 'br1' })],
    'QL_TAP',
  ],
])('%s is refused, and nothing is made', (_what, net, links, code) => {
  const choice = choose(net, ...links);
  expect(codes(choice)).toEqual([code]);
  for (const { why, todo } of choice.problems)
    expect([why, todo].every((lines) => lines.length > 0)).toBe(true);
});
