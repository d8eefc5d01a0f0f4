import { expect, test } from 'vitest';
import { ofNetworkdLease, ofNmDevice, ofOurs } from '../../../../../src/plan/bridge/name-servers.ts';
import { keyfileFiles } from '../../../../../src/plan/bridge/persist/keyfile.ts';
import { modelToBe } from '../../../../../src/plan/bridge/persist/model.ts';
import { netplanFiles } from '../../../../../src/plan/bridge/persist/netplan.ts';
import { networkdFiles } from '../../../../../src/plan/bridge/persist/networkd.ts';
import { readdressed } from '../../../../../src/plan/bridge/readdress.ts';
import { address, BEFORE, route } from './nic.ts';

const NIC = { name: 'br0', uplink: 'eth0', mac: '52:54:00:aa:bb:01' };

test.each([
  ['systemd-networkd', { addresses: [{ ...address('10.9.0.50', 24), validS: 3600 }], leased: '10.9.0.50' }],
  [
    'udhcpc',
    { clients: [{ program: 'udhcpc', pid: 7, start: '1', argv: ['udhcpc'], address: '10.9.0.50' }] },
  ],
] as const)('the address that %s has leased is a static one from now on', (_who, more) => {
  const before = { ...BEFORE, ...more, routes: [] };
  const model = (addresses: readonly string[]) => {
    const readdress = { addresses, dhcp: false };
    return modelToBe(before, readdressed(before, readdress).layer, readdress);
  };
  const now = model(['10.9.0.50/24']);
  for (const one of [now, now.instead]) {
    expect(one?.addresses).toContain('10.9.0.50/24');
    expect(one?.dhcp4).toBe(false);
  }
  // IPv4 goes on to be leased where only IPv6 has another one.
  expect(model(['fd09::77/64']).dhcp4).toBe(true);
});

test.each(['10.9.0.50/24', '10.9.0.77/24'])('the gateway of the lease is in the files with %s', (wanted) => {
  const leased = { protocol: 'dhcp', prefsrc: '10.9.0.50', metric: 1024 };
  const gateway = route('default', '10.9.0.1');
  const server = { type: 'unicast', dst: '10.9.0.1', dev: 'eth0', table: 'main', scope: 'link', flags: [] };
  const before = {
    ...{ ...BEFORE, addresses: [{ ...address('10.9.0.50', 24), validS: 600 }], leased: '10.9.0.50' },
    routes: [
      { ...gateway, row: { ...gateway.row, ...leased } },
      { ...gateway, row: { ...server, ...leased } },
    ],
  };
  const readdress = { addresses: [wanted], dhcp: false };
  const wish = { ...NIC, ...modelToBe(before, readdressed(before, readdress).layer, readdress) };
  const network = {
    path: '/etc/systemd/network/20-lan.network',
    content: '[Match]\nName=eth0\n[Network]\nDHCP=yes\n',
  };
  expect(networkdFiles(wish, { files: [network] })[1]?.content).toContain(
    '[Route]\nGateway=10.9.0.1\nMetric=1024\n',
  );
  const lan = {
    path: '/etc/NetworkManager/system-connections/lan.nmconnection',
    content: '[connection]\nid=lan\ntype=ethernet\ninterface-name=eth0\n[ipv4]\nmethod=auto\n',
  };
  const keyfile = keyfileFiles(wish, { files: [lan] })[0]?.content ?? '';
  expect(keyfile).toMatch(
    /method=manual\n(.*\n)*(gateway=10.9.0.1\nroute-metric=1024|route1=0.0.0.0\/0,10.9.0.1,1024)/,
  );
  expect(wish.instead?.unsaid).toEqual([]);
});

const LEASE = 'ADDRESS=10.9.0.50\nDNS=10.9.0.1 10.9.0.2\nDOMAINNAME=lan.test\n';
const NM_DEVICE =
  'managed=true\ndhcp4.domain_name_servers=10.9.0.1 10.9.0.2\ndhcp4.domain_search=lan.test\ndhcp4.domain_name=lan.test\n';

test.each([
  [ofNetworkdLease(LEASE), ['10.9.0.77/24'], false],
  [ofNmDevice(NM_DEVICE), ['10.9.0.77/24'], false],
  [ofNetworkdLease(LEASE), [], true],
  [ofNetworkdLease(LEASE), ['fd09::77/64'], false],
] as const)(
  'name servers that came with a lease that ends are in the files: %j, %j',
  (nameServers, addresses, dhcp) => {
    const readdress = { addresses, dhcp };
    const before = { ...BEFORE, ...(nameServers === undefined ? {} : { nameServers }) };
    const wish = { ...NIC, ...modelToBe(before, readdressed(before, readdress).layer, readdress) };
    const ends = addresses[0] === '10.9.0.77/24';
    const network = (more: string): string => {
      const content = `[Match]\nName=eth0\n[Network]\nDHCP=yes\nDNS=10.9.0.2\n[DHCPv4]\n${more}\n`;
      const files = [{ path: '/etc/systemd/network/20-lan.network', content }];
      return (
        (networkdFiles(wish, { files })[1]?.content ?? '').match(/^(DNS|Domains)=.*$/gm)?.join(' ') ?? ''
      );
    };
    expect(network('')).toBe(ends ? 'DNS=10.9.0.2 DNS=10.9.0.1' : 'DNS=10.9.0.2');
    expect(network('UseDNS=no')).toBe('DNS=10.9.0.2');
    if (ends) expect(network('UseDomains=route')).toContain('DNS=10.9.0.1 Domains=~lan.test');
    const keyfile = (more: string): string => {
      const content = `[connection]\nid=lan\ntype=ethernet\ninterface-name=eth0\n[ipv4]\nmethod=auto\ndns=9.9.9.9;\n${more}\n`;
      const files = [{ path: '/etc/NetworkManager/system-connections/lan.nmconnection', content }];
      const made = keyfileFiles(wish, { files })[0]?.content ?? '';
      // What a bridge of that name has until the next boot is read from there.
      if (ends && more === '')
        expect(ofOurs(made)).toEqual({
          dns: ['9.9.9.9', ...(nameServers?.dns ?? [])],
          domains: ['lan.test'],
        });
      return made.match(/^dns.*$/gm)?.join(' ') ?? '';
    };
    expect(keyfile('')).toBe(ends ? 'dns=9.9.9.9;10.9.0.1;10.9.0.2; dns-search=lan.test;' : 'dns=9.9.9.9;');
    expect(keyfile('ignore-auto-dns=true')).toBe('dns=9.9.9.9;');
    const yaml = (more: string): string => {
      const content = `network:\n  version: 2\n  ethernets:\n    eth0:\n      dhcp4: true\n${more}`;
      return netplanFiles(wish, { files: [{ path: '/etc/netplan/1.yaml', content }] })[0]?.content ?? '';
    };
    expect(yaml('').includes('addresses: ["10.9.0.1", "10.9.0.2"]\n        search: ["lan.test"]\n')).toBe(
      ends,
    );
    expect(yaml('      nameservers: {addresses: [9.9.9.9]}\n')).not.toContain('10.9.0.2');
  },
);
