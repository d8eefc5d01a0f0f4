import { expect, test } from 'vitest';
import { identityNotes } from '../../../../../src/plan/bridge/persist/identity.ts';
import { ifcfgFiles } from '../../../../../src/plan/bridge/persist/ifcfg.ts';
import { keyfileFiles } from '../../../../../src/plan/bridge/persist/keyfile.ts';
import { modelOf } from '../../../../../src/plan/bridge/persist/model.ts';
import { netplanFiles } from '../../../../../src/plan/bridge/persist/netplan.ts';
import { networkdFiles } from '../../../../../src/plan/bridge/persist/networkd.ts';

const learnt = (local: string, prefixlen: number = 64, flags: readonly string[] = ['mngtmpaddr']) =>
  ({ family: 'inet6', local, prefixlen, scope: 'global', flags, validS: 600, preferredS: 300 }) as const;
const layer = (...addresses: readonly ReturnType<typeof learnt>[]) => ({
  ...{ link: 'eth0', addresses, routes: [], neighbours: [], rules: [] },
});
const [BY_MAC, SECRET, LEASED] = [
  learnt('2001:db8::5054:ff:feaa:bb01'),
  learnt('2001:db8::8c1f:22aa:3b4c:5d6e', 64, ['noprefixroute']),
  learnt('2001:db8::1234', 128, []),
];
const NIC = { name: 'br0', uplink: 'eth0', mac: '52:54:00:aa:bb:01', addresses: [] } as const;

test('what is not from the MAC address is told; what changes by itself, or stays, is not', () => {
  const temporary = learnt('2001:db8::aaaa:bbbb:cccc:dddd', 64, []);
  const notes = identityNotes(layer(BY_MAC, SECRET, LEASED, temporary), 'br0', false);
  expect(notes.map((one) => one.split(':').slice(0, -1).join(':'))).toEqual([
    '2001:db8::8c1f:22aa:3b4c:5d6e is made of a secret and of the name eth0',
    '2001:db8::1234 is leased by DHCPv6 to an identity with eth0 in it',
  ]);
  expect(identityNotes(layer(BY_MAC, LEASED), 'br0', true)).toEqual([]);
});

test('from the MAC address: NetworkManager, whose own way is another, is told so where no file says it', () => {
  const wish = { ...NIC, ...modelOf(layer(BY_MAC)) };
  expect(keyfileFiles(wish, { files: [] })[0]?.content).toContain(
    '[ipv6]\nmethod=auto\naddr-gen-mode=eui64\n',
  );
  expect(ifcfgFiles(wish, [])[0]?.content).toContain('IPV6_AUTOCONF=yes\nIPV6_ADDR_GEN_MODE=eui64\n');
  const other = { ...NIC, ...modelOf(layer(BY_MAC, SECRET)) };
  expect(keyfileFiles(other, { files: [] })[0]?.content).not.toContain('addr-gen-mode');
});

test('networkd is the same client of DHCPv6 as well, unless the file says who it is', () => {
  const text = (more: string): string => {
    const content = `[Match]\nName=eth0\n[Network]\nDHCP=ipv6\n${more}`;
    const files = [{ path: '/etc/systemd/network/20-lan.network', content }];
    return networkdFiles(NIC, { files, iaid: 7 })[1]?.content ?? '';
  };
  expect(text('')).toContain('\n[DHCPv6]\nIAID=7\n');
  expect(text('')).not.toContain('[DHCPv4]');
  expect(text('[DHCPv6]\nIAID=9\n')).toContain('IAID=9\n');
  expect(text('[DHCPv6]\nIAID=9\n')).not.toContain('IAID=7');
  const yaml = 'network:\n  ethernets:\n    eth0:\n      dhcp6: true\n';
  const facts = { files: [{ path: '/etc/netplan/1.yaml', content: yaml }], iaid: 7 };
  expect(netplanFiles(NIC, facts)[1]?.content).toContain('[DHCPv6]\nIAID=7\n');
});
