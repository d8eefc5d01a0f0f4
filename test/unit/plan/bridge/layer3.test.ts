import { expect, test } from 'vitest';
import type { LinkAddress } from '../../../../src/plan/bridge/address.ts';
import {
  arrivalLines,
  checkedLines,
  departureLines,
  type Layer3,
} from '../../../../src/plan/bridge/layer3.ts';

const v4 = (local: string, more: Partial<LinkAddress> = {}): LinkAddress => ({
  ...{ family: 'inet', local, prefixlen: 24, scope: 'global', label: 'eth0', flags: [] },
  ...more,
});
const v6 = (local: string, more: Partial<LinkAddress> = {}): LinkAddress => ({
  ...{ family: 'inet6', local, prefixlen: 64, scope: 'global', flags: [] },
  ...more,
});
const on = (more: Partial<Layer3>): Layer3 => ({
  ...{ link: 'eth0', addresses: [], routes: [], neighbours: [] },
  ...more,
});
const text = (lines: readonly (readonly string[])[]): string[] => lines.map((words) => words.join(' '));

test('addresses arrive in the order they were added, IPv6 usable at once, and leave in the opposite one', () => {
  const from = on({
    // As ip(8) lists them: IPv6 newest first.
    addresses: [
      v4('192.0.2.5'),
      v4('192.0.2.6', { label: 'eth0:a', broadcast: '192.0.2.255', metric: 7 }),
      v6('fd00::6', { validS: 300, preferredS: 0 }),
      v6('fd00::5', { flags: ['nodad', 'mngtmpaddr'] }),
      v6('fe80::5', { scope: 'link' }),
    ],
  });
  expect(text(arrivalLines(from, 'br0'))).toEqual([
    'address replace 192.0.2.5/24 scope global dev br0',
    'address replace 192.0.2.6/24 broadcast 192.0.2.255 label br0:a scope global metric 7 dev br0',
    'address replace fd00::5/64 nodad mngtmpaddr dev br0',
    'address replace fd00::6/64 nodad valid_lft 300 preferred_lft 0 dev br0',
    'address replace fe80::5/64 nodad dev br0',
  ]);
  expect(text(checkedLines(from, 'br0'))).toEqual([
    'address replace fd00::6/64 valid_lft 300 preferred_lft 0 dev br0',
    'address replace fe80::5/64 dev br0',
  ]);
  expect(text(departureLines(from))).toEqual([
    'address del 192.0.2.6/24 dev eth0',
    'address del 192.0.2.5/24 dev eth0',
    'address del fd00::6/64 dev eth0',
    'address del fd00::5/64 dev eth0',
    'address del fe80::5/64 dev eth0',
  ]);
});

test('what an address brings along is not said again; what its noprefixroute left to somebody is', () => {
  const prefix = {
    type: 'unicast',
    dst: '192.0.2.0/24',
    dev: 'eth0',
    table: 'main',
    protocol: 'kernel',
    scope: 'link',
    prefsrc: '192.0.2.5',
    flags: [],
  };
  const routes = [{ family: 'inet', row: prefix } as const];
  expect(arrivalLines(on({ addresses: [v4('192.0.2.5')], routes }), 'br0')).toHaveLength(1);
  const own = on({ addresses: [v4('192.0.2.5', { flags: ['noprefixroute'] })], routes });
  expect(text(arrivalLines(own, 'br0')).at(-1)).toBe(
    'route replace 192.0.2.0/24 dev br0 table main proto kernel src 192.0.2.5 scope link',
  );
});

test('an address that is there twice, once to a peer, is taken off by its whole name', () => {
  const from = on({ addresses: [v4('192.0.2.5'), v4('192.0.2.5', { peer: '192.0.2.9', prefixlen: 32 })] });
  expect(text(departureLines(from))).toEqual([
    'address del 192.0.2.5 peer 192.0.2.9/32 dev eth0',
    'address del 192.0.2.5/24 dev eth0',
  ]);
});

test('a default route from an advertisement is kept beside the one that the kernel makes of the next', () => {
  const route = (gateway: string, more: object): Layer3['routes'][number] => ({
    family: 'inet6',
    row: { dst: 'default', gateway, dev: 'eth0', protocol: 'ra', expires: 600, metric: 1024, ...more },
  });
  const routes = [route('fe80::1', {}), route('fe80::2', {}), route('fe80::1', { metric: 1025 })];
  expect(text(arrivalLines(on({ routes, acceptsRa: true }), 'br0'))).toEqual([
    'route replace ::/0 via fe80::1 dev br0 proto ra metric 1025 expires 600',
    'route replace ::/0 via fe80::2 dev br0 proto ra metric 1026 expires 600',
  ]);
  // Where a program takes the advertisements, the routes are its own.
  expect(text(arrivalLines(on({ routes, acceptsRa: false }), 'br0'))).toHaveLength(3);
});

test.each([
  [{ nhid: 7 }, 'uses a nexthop object'],
  [{ encap: 'mpls' }, 'has a "encap" that qlaunch does not know how to move'],
  [{ flags: ['strange'] }, 'has the flag "strange"'],
  [{ metrics: [{ shininess: 7 }] }, 'has the metric "shininess"'],
])('a route with %j is refused, not lost', (more, why) => {
  const row = { dst: '198.51.100.0/24', dev: 'eth0', table: 'main', ...more };
  expect(() => arrivalLines(on({ routes: [{ family: 'inet', row }] }), 'br0')).toThrow(
    expect.objectContaining({ code: 'QL_CANNOT_MOVE', why: [expect.stringContaining(why)] }),
  );
});

test('prefix routes of two metrics are made anew once their addresses are checked', () => {
  const route = (metric: number): Layer3['routes'][number] => ({
    family: 'inet6',
    row: { dst: 'fd00::/64', dev: 'eth0', table: 'main', protocol: 'kernel', metric, pref: 'medium' },
  });
  const alone = on({ addresses: [v6('fd00::5')], routes: [route(256)] });
  expect(text(checkedLines(alone, 'br0'))).toEqual(['address replace fd00::5/64 dev br0']);
  const both = on({
    addresses: [v6('fd00::6', { metric: 77 }), v6('fd00::5')],
    routes: [route(77), route(256)],
  });
  expect(text(checkedLines(both, 'br0')).slice(2)).toEqual([
    'route flush exact fd00::/64 dev br0 table all proto kernel',
    'route append fd00::/64 dev br0 table main proto kernel metric 77 pref medium',
    'route append fd00::/64 dev br0 table main proto kernel metric 256 pref medium',
  ]);
});
