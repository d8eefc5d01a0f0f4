import { expect, test } from 'vitest';
import type { LinkAddress } from '../../../../src/plan/bridge/address.ts';
import { arrivalLines, type Layer3 } from '../../../../src/plan/bridge/layer3.ts';
import { readdressed } from '../../../../src/plan/bridge/readdress.ts';
import { clientsHandedOver, type UplinkFacts } from '../../../../src/plan/bridge/uplink.ts';

const v4 = (local: string): LinkAddress => ({
  ...{ family: 'inet', local, prefixlen: 24, scope: 'global', label: 'eth0', flags: [] },
});
const v6 = (local: string, scope: string = 'global'): LinkAddress => ({
  ...{ family: 'inet6', local, prefixlen: 64, scope, flags: [] },
});
const route = (family: 'inet' | 'inet6', row: object): Layer3['routes'][number] => ({
  family,
  row: { dev: 'eth0', table: 'main', flags: [], ...row },
});
const NIC: Layer3 = {
  link: 'eth0',
  addresses: [v4('192.0.2.5'), v4('198.51.100.5'), v6('fd00::5'), v6('fe80::5', 'link')],
  routes: [
    route('inet', { dst: '192.0.2.0/24', protocol: 'kernel', scope: 'link', prefsrc: '192.0.2.5' }),
    route('inet', { dst: '198.51.100.0/24', protocol: 'kernel', scope: 'link', prefsrc: '198.51.100.5' }),
    route('inet', { dst: 'default', gateway: '192.0.2.1', metric: 100 }),
    route('inet', { dst: '10.0.0.0/8', gateway: '198.51.100.1', table: '7' }),
    route('inet', { dst: '10.1.0.0/16', gateway: '192.0.2.1', prefsrc: '192.0.2.5' }),
    route('inet', { dst: '203.0.113.9', scope: 'link' }),
    route('inet', {
      dst: '10.2.0.0/16',
      nexthops: [{ gateway: '192.0.2.1', dev: 'eth0', weight: 1, flags: [] }],
    }),
    route('inet6', { dst: 'default', gateway: 'fd00::1' }),
    route('inet', { dst: '10.9.0.0/16', gateway: '10.8.0.1', dev: 'eth1' }),
  ],
  neighbours: [],
};
const text = (layer: Layer3): string[] => arrivalLines(layer, 'br0').map((words) => words.join(' '));

test('--address: the others of its family go, and with them the routes that have no way any more', () => {
  const { layer, lost } = readdressed(NIC, { addresses: ['192.0.2.77/24'], dhcp: false });
  expect(text(layer)).toEqual([
    'address replace 192.0.2.77/24 broadcast + scope global dev br0',
    'address replace fd00::5/64 nodad dev br0',
    'address replace fe80::5/64 nodad dev br0',
    'route replace 203.0.113.9 dev br0 table main scope link',
    'route replace default via 192.0.2.1 dev br0 table main metric 100',
    'route replace 10.2.0.0/16 table main nexthop via 192.0.2.1 dev br0 weight 1',
    'route replace ::/0 via fd00::1 dev br0 table main',
  ]);
  expect(lost).toEqual(['10.0.0.0/8 via 198.51.100.1 table 7', '10.1.0.0/16 via 192.0.2.1']);
});

test('--address where a server had given all: its gateway is our own from now on, and its way to itself goes', () => {
  const leased = { protocol: 'dhcp', prefsrc: '192.0.2.5', metric: 1024 };
  const nic: Layer3 = {
    ...{ link: 'eth0', addresses: [{ ...v4('192.0.2.5'), validS: 600 }], neighbours: [] },
    routes: [
      route('inet', { dst: '192.0.2.1', scope: 'link', ...leased }),
      route('inet', { dst: 'default', gateway: '192.0.2.1', ...leased }),
      route('inet', { dst: '203.0.113.9', scope: 'link', ...leased }),
      // Of a table for that address.
      route('inet', { dst: '10.1.0.0/16', gateway: '192.0.2.1', ...leased, table: '100' }),
    ],
  };
  const same = readdressed(nic, { addresses: ['192.0.2.5/24'], dhcp: false });
  expect(text(same.layer).slice(1)).toEqual([
    'route replace default via 192.0.2.1 dev br0 table main proto static src 192.0.2.5 metric 1024',
    'route replace 10.1.0.0/16 via 192.0.2.1 dev br0 table 100 proto static src 192.0.2.5 metric 1024',
  ]);
  const other = readdressed(nic, { addresses: ['192.0.2.77/24'], dhcp: false });
  expect(text(other.layer).slice(1)).toEqual([
    'route replace default via 192.0.2.1 dev br0 table main proto static metric 1024',
  ]);
  const gone = ['203.0.113.9', '10.1.0.0/16 via 192.0.2.1 table 100'];
  expect([same.lost, other.lost]).toEqual([gone.slice(0, 1), gone]);
  // What it gives anew is not gone.
  expect(readdressed(nic, { addresses: [], dhcp: true })).toMatchObject({ layer: { routes: [] }, lost: [] });
});

test('--address of IPv6 leaves IPv4 and the link-local address alone', () => {
  const { layer, lost } = readdressed(NIC, { addresses: ['2001:db8::1/64', '2001:db8::2/64'], dhcp: false });
  expect(text(layer).filter((line) => line.startsWith('address'))).toEqual([
    'address replace 192.0.2.5/24 scope global dev br0',
    'address replace 198.51.100.5/24 scope global dev br0',
    'address replace 2001:db8::1/64 nodad dev br0',
    'address replace 2001:db8::2/64 nodad dev br0',
    'address replace fe80::5/64 nodad dev br0',
  ]);
  expect(lost).toEqual(['default via fd00::1']);
});

test('--dhcp leaves nothing of IPv4 that needs an address, for the server says what there is', () => {
  const { layer, lost } = readdressed(NIC, { addresses: [], dhcp: true });
  expect(text(layer).filter((line) => !line.includes(':'))).toEqual([
    'route replace 203.0.113.9 dev br0 table main scope link',
  ]);
  expect(lost).toHaveLength(4);
});

test('a DHCP client goes along with its lease, and ends where other IPv4 addresses take its place', () => {
  const leased: LinkAddress = { ...v4('192.0.2.5'), validS: 3_600 };
  const client = { program: 'dhclient', pid: 7, start: '1', argv: ['dhclient', 'eth0'] } as const;
  const programs = (address: LinkAddress, known: { address?: string }, wish: string): string[] => {
    const facts: UplinkFacts = {
      ...{ ...NIC, addresses: [address, v6('fd00::5')], rules: [], settings: [], resolved: [], xdp: false },
      clients: [{ ...client, ...known }],
    };
    const readdress = { addresses: [wish], dhcp: false };
    const { layer } = readdressed(facts, readdress);
    return clientsHandedOver(facts, layer, readdress).map(({ program }) => program);
  };
  expect(programs(leased, {}, 'fd00::9/64')).toEqual(['dhclient']);
  // busybox's script gives no lifetime.
  expect(programs(v4('192.0.2.5'), { address: '192.0.2.5' }, 'fd00::9/64')).toEqual(['dhclient']);
  expect(programs(v4('192.0.2.5'), {}, 'fd00::9/64')).toEqual([]);
  expect(programs(leased, { address: '192.0.2.5' }, '192.0.2.5/24')).toEqual([]);
});
