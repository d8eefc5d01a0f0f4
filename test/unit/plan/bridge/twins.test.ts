import { expect, test } from 'vitest';
import type { Route } from '../../../../src/plan/bridge/route.ts';
import { routeLines } from '../../../../src/plan/bridge/twins.ts';

const via = (gateway: string, dev: string, more: Readonly<Record<string, unknown>> = {}): Route => ({
  family: 'inet',
  row: { dst: 'default', gateway, dev, table: 'main', metric: 100, ...more },
});
const lines = (routes: readonly Route[], to: string): readonly string[] =>
  routeLines(
    { link: 'eth0', routes },
    routes.filter(({ row }) => row['dev'] === 'eth0'),
    to,
    ({ row }) => [`via ${String(row['gateway'])}`],
  ).map((words) => words.join(' '));

const OF_BRIDGE = 'route flush exact 0.0.0.0/0 dev br0 table main tos 0 metric 100';
const OF_NIC = 'route flush exact 0.0.0.0/0 dev eth0 table main tos 0 metric 100';

test('a route that no other link has replaces what is there', () => {
  const others = [via('10.2.0.1', 'eth1', { metric: 200 }), via('10.2.0.1', 'eth1', { table: '7' })];
  expect(lines([via('10.1.0.1', 'eth0'), ...others], 'br0')).toEqual(['route replace via 10.1.0.1']);
  const v6: Route = { family: 'inet6', row: via('fe80::1', 'eth1').row };
  expect(lines([via('10.1.0.1', 'eth0'), v6], 'br0')).toEqual(['route replace via 10.1.0.1']);
});

test('beside those of other links it comes where it was: before them, or behind', () => {
  const other = via('10.2.0.1', 'eth1');
  expect(lines([via('10.1.0.1', 'eth0'), other], 'br0')).toEqual([
    OF_BRIDGE,
    'route prepend via 10.1.0.1',
    OF_NIC,
  ]);
  expect(lines([other, via('10.1.0.1', 'eth0')], 'br0')).toEqual([
    OF_BRIDGE,
    'route append via 10.1.0.1',
    OF_NIC,
  ]);
});

test('several of the NIC stay in their order, and going back takes away none that was just made', () => {
  const routes = [
    via('10.1.0.1', 'eth0'),
    via('10.1.0.2', 'eth0'),
    via('10.2.0.1', 'eth1'),
    via('10.1.0.3', 'eth0'),
  ];
  expect(lines(routes, 'eth0')).toEqual([
    OF_NIC,
    'route prepend via 10.1.0.2',
    'route prepend via 10.1.0.1',
    'route append via 10.1.0.3',
  ]);
  expect(lines(routes.slice(0, 2), 'br0')).toEqual([
    OF_BRIDGE,
    'route append via 10.1.0.1',
    'route append via 10.1.0.2',
    OF_NIC,
  ]);
});
