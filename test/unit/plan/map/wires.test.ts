import { expect, test } from 'vitest';
import { netdevWords } from '../../../../src/plan/map/netdev-words.ts';
import { wiresOf } from '../../../../src/plan/map/wires.ts';
import { SERVER } from '../../../golden/map/hosts.ts';

test('netdevs as QEMU’s command line has them', () => {
  const argv = [
    'qemu',
    '-netdev',
    'tap,id=net0,ifname=a,,b,script=no',
    '-netdev',
    'bridge,id=net1',
    '-netdev',
  ];
  expect(netdevWords([...argv, 'tap,id=net2,helper=/x,br=br7', '-netdev', 'user'])).toEqual([
    { type: 'tap', id: 'net0', ifname: 'a,b' },
    { type: 'bridge', id: 'net1', bridge: 'br0' },
    { type: 'tap', id: 'net2', bridge: 'br7' },
  ]);
});

const end = (device: string, facts = SERVER): string | undefined => {
  const guest = wiresOf(facts).guestOf(device);
  return guest === undefined ? undefined : `${guest.vm} ${guest.nic}`;
};

test('by name, by what the process holds on that bridge, and by the MAC that the bridge learned', () => {
  expect(['qt-web0', 'qt-database0', 'vnet3', 'tap7', 'tap8'].map((name) => end(name))).toEqual([
    'web net0',
    'database net0',
    'database net1',
    undefined,
    undefined,
  ]);
});

test('without a look into the process, the learned MAC alone tells; nothing is guessed', () => {
  const blind = { ...SERVER, holders: [] };
  expect(end('qt-database0', blind)).toBe('database net0');
  expect(end('vnet3', blind)).toBeUndefined();
});

test('two NICs on one bridge: what was learned goes before the order of the descriptors', () => {
  const nic = (id: string, last: string): object => ({
    ...{ id, mode: 'bridge', mac: `52:54:00:00:00:${last}`, bridge: 'br0', forwards: [] },
  });
  const vm = { name: 'two', uid: 0, state: 'running', pid: 9, elsewhere: false };
  const holders = [{ pid: 9, program: 'qemu', taps: ['tap7', 'tap8'] }];
  const base = { ...SERVER, holders, learned: [], vms: [{ ...vm, nics: [nic('a', 'a1'), nic('b', 'b1')] }] };
  const facts = base as unknown as typeof SERVER;
  expect([end('tap7', facts), end('tap8', facts)]).toEqual(['two a', 'two b']);
  const learned = { ...facts, learned: [{ mac: '52:54:00:00:00:b1', port: 'tap7' }] };
  expect([end('tap7', learned), end('tap8', learned)]).toEqual(['two b', 'two a']);
});

test('a VM in another network namespace has none of our taps, though the name is the same', () => {
  const vms = SERVER.vms.map((vm) => ({ ...vm, elsewhere: true }));
  expect(end('qt-web0', { ...SERVER, vms })).toBeUndefined();
});
