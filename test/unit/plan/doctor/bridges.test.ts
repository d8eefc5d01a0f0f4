import { expect, test } from 'vitest';
import { bridgeFindings } from '../../../../src/plan/doctor/bridges.ts';
import type { Finding } from '../../../../src/plan/doctor/finding.ts';
import { macFindings } from '../../../../src/plan/doctor/macs.ts';
import { boardOf } from '../../../../src/plan/map/board.ts';
import type { BoardLink } from '../../../../src/plan/map/facts.ts';
import { EMPTY, SERVER } from '../../../golden/map/hosts.ts';

/** The server with some of its links changed. */
const examined = (changes: Readonly<Record<string, Partial<BoardLink>>>): readonly Finding[] => {
  const links = SERVER.links.map((link) => ({ ...link, ...changes[link.name] }));
  return bridgeFindings(boardOf({ ...SERVER, links }));
};
const of = (found: readonly Finding[], name: string): readonly Finding[] =>
  found.filter(({ about }) => about?.split(' ')[0] === name);

test('a bridge that is well says what is on it', () => {
  expect(of(examined({}), 'br0')).toEqual([
    { id: 'bridge', about: 'br0', state: 'ok', fact: 'up; uplink bond0.10; 5 other ports' },
  ]);
});

test.each([
  ['down', { br0: { up: false } }, 'bridge', 'sudo ip link set br0 up'],
  ['uplink down', { 'bond0.10': { up: false } }, 'bridge-uplink', 'sudo ip link set bond0.10 up'],
  ['uplink unplugged', { 'bond0.10': { carrier: false } }, 'bridge-uplink', 'look at the cable of bond0.10'],
  [
    'address on the port',
    { 'bond0.10': { addresses: [{ cidr: '192.0.2.9/24', linkLocal: false }] } },
    'bridge-port-address',
    "sudo sh -c 'ip address del 192.0.2.9/24 dev bond0.10 && ip address add 192.0.2.9/24 dev br0'",
  ],
  [
    'slow STP',
    { br0: { stp: true, forwardDelayMs: 15_000 } },
    'bridge-stp',
    'sudo ip link set br0 type bridge forward_delay 200',
  ],
  ['blocked port', { tap8: { portState: 'blocking' } }, 'bridge-port', 'bridge -d link show dev tap8'],
  ['longer packets than the uplink takes', { 'bond0.10': { mtu: 1400 } }, 'bridge-mtu', '--net …,mtu=1400'],
])('%s', (_, changes, id, cure) => {
  const found = of(examined(changes), 'br0');
  expect(found.map((finding) => [finding.id, finding.state, finding.cure?.[0]])).toEqual([
    [id, 'warning', cure],
  ]);
});

test('a name that is not shown as it is, is not given to type or to --fix', () => {
  const links = [{ ...SERVER.links[5], name: 'ev\uFFFD[31m', up: false }] as BoardLink[];
  expect(bridgeFindings(boardOf({ ...EMPTY, links }))).toEqual([
    { id: 'bridge', about: 'ev\uFFFD[31m', state: 'warning', fact: 'it is down: nothing passes it' },
  ]);
});

test('no bridge is nothing bad', () => {
  expect(bridgeFindings(boardOf(EMPTY))).toMatchObject([{ id: 'bridge', state: 'ok' }]);
});

test('the same MAC twice, in one VM or in two', () => {
  const { vms } = boardOf(SERVER);
  expect(macFindings(vms)).toMatchObject([{ id: 'mac', state: 'ok' }]);
  const twin = vms.slice(0, 1).map((vm) => ({ ...vm, name: 'twin', nics: vm.nics.slice(0, 1) }));
  expect(macFindings([...vms, ...twin])).toMatchObject([
    {
      about: '52:54:00:00:00:01',
      state: 'problem',
      fact: 'web net0 and twin net0 have the same MAC address 52:54:00:00:00:01',
    },
  ]);
});
