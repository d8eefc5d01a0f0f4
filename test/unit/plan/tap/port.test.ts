import { describe, expect, test } from 'vitest';
import type { LinkFact } from '../../../../src/plan/facts.ts';
import { bridgeNamed, portLines, portMac, portSettings } from '../../../../src/plan/tap/port.ts';

const link = (ifname: string, more: Partial<LinkFact> = {}): LinkFact => ({
  ifindex: 7,
  ifname,
  address: '02:11:22:33:44:55',
  mtu: 1500,
  flags: ['BROADCAST', 'MULTICAST'],
  link_type: 'ether',
  addresses: [],
  ...more,
});
const br0 = link('br0', { kind: 'bridge', mtu: 9000 });
const ours = link('br0', { kind: 'bridge', ifalias: 'qlaunch:net/default:1a2b3c4d5e6f' });
const text = (tap: LinkFact, bridge: LinkFact, options = {}): string[] =>
  portLines(tap, bridge, options).map(({ words }) => words.join(' '));

test('on a bridge of somebody else the tap takes an address the bridge never takes over', () => {
  expect(portMac('02:11:22:33:44:55', br0)).toBe('fe:11:22:33:44:55');
  expect(portMac('02:11:22:33:44:55', ours)).toBe('02:11:22:33:44:55');
});

describe('lines for a tap that is there', () => {
  test('address and MTU come before it is a port, up comes last', () => {
    expect(text(link('tap1'), br0, { isolated: true })).toEqual([
      'link set dev tap1 address fe:11:22:33:44:55',
      'link set dev tap1 mtu 9000',
      'link set dev tap1 master br0',
      'link set dev tap1 type bridge_slave isolated on',
      'link set dev tap1 up',
    ]);
  });

  test('each is taken back to what it was, and only on this very tap', () => {
    const lines = portLines(link('tap1'), br0);
    const undone = lines.toReversed().map(({ undo }) => ('run' in undo ? undo.run.join(' ') : undo));
    expect(undone).toEqual([
      'ip link set dev tap1 down',
      'ip link set dev tap1 nomaster',
      'ip link set dev tap1 mtu 1500',
      'ip link set dev tap1 address 02:11:22:33:44:55',
    ]);
    for (const line of lines) expect(line.owns).toMatchObject({ link: 'tap1', mac: 'fe:11:22:33:44:55' });
  });

  test('what is as wanted is not touched', () => {
    expect(text(link('tap1', { master: 'br0', mtu: 9000, flags: ['UP'] }), br0)).toEqual([]);
    expect(text(link('tap1', { mtu: 1500 }), ours)).toEqual([
      'link set dev tap1 master br0',
      'link set dev tap1 up',
    ]);
  });

  test('an MTU that is asked for beats that of the bridge', () => {
    expect(text(link('tap1'), ours, { mtu: 1400 })[0]).toBe('link set dev tap1 mtu 1400');
  });
});

test('a tap that is being made gets the same as settings', () => {
  expect(portSettings(br0, { isolated: true })).toEqual([
    ['mtu', '9000'],
    ['master', 'br0'],
    ['type', 'bridge_slave', 'isolated', 'on'],
    ['up'],
  ]);
});

test('what is not a bridge is refused, with the bridges there are', () => {
  const facts = { links: [br0, link('eth0')] };
  expect(bridgeNamed(facts, 'br0')).toBe(br0);
  expect(() => bridgeNamed(facts, 'br1')).toThrow('there is no bridge br1');
  expect(() => bridgeNamed(facts, 'eth0')).toThrow('eth0 is not a bridge');
});
