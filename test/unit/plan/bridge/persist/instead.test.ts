import { expect, test } from 'vitest';
import { ifcfgFiles } from '../../../../../src/plan/bridge/persist/ifcfg.ts';
import { ifupdownFiles } from '../../../../../src/plan/bridge/persist/ifupdown.ts';
import { keyfileFiles } from '../../../../../src/plan/bridge/persist/keyfile.ts';
import { modelToBe } from '../../../../../src/plan/bridge/persist/model.ts';
import { netplanFiles } from '../../../../../src/plan/bridge/persist/netplan.ts';
import { networkdFiles } from '../../../../../src/plan/bridge/persist/networkd.ts';
import { readdressed } from '../../../../../src/plan/bridge/readdress.ts';
import { BEFORE } from './nic.ts';

const wishFor = (addresses: readonly string[], dhcp: boolean = false) => {
  const readdress = { addresses, dhcp };
  const { layer } = readdressed(BEFORE, readdress);
  const nic = { name: 'br0', uplink: 'eth0', mac: '52:54:00:aa:bb:01' };
  return { ...nic, ...modelToBe(BEFORE, layer, readdress) };
};
const OTHER = wishFor(['10.9.0.77/24', '10.6.0.1/16']);
const LEASED = wishFor([], true);

/** Of the bridge's own file: what is behind this line. */
const from = (text: string | undefined, start: string): string =>
  (text ?? '').slice((text ?? '').indexOf(start));

test('networkd: other IPv4 addresses, and all else as the NIC had it', () => {
  const content = `[Match]
Name=eth0

[Network]
DHCP=ipv6
Address=10.9.0.50/24
# Of the lab.
Address=fd09::50/64
Gateway=fd09::1
DNS=10.9.0.1

[Address]
Address=10.8.0.5/16

[Route]
Gateway=10.9.0.1

[Route]
Destination=10.7.0.0/16
Gateway=10.8.0.1

[RoutingPolicyRule]
From=10.9.0.50
Table=7
`;
  const files = [{ path: '/etc/systemd/network/20-lan.network', content }];
  const text = (wish: typeof OTHER) => networkdFiles(wish, { files })[1]?.content;
  expect(from(text(OTHER), '[Match]')).toBe(`[Match]
Name=br0

[Network]
# Of the lab.
Address=fd09::50/64
Gateway=fd09::1
DNS=10.9.0.1

[RoutingPolicyRule]
From=10.9.0.50
Table=7

[Network]
DHCP=ipv6
Address=10.9.0.77/24
Address=10.6.0.1/16

[Route]
Gateway=10.9.0.1
`);
  expect(from(text(LEASED), '[RoutingPolicyRule]')).toBe(`[RoutingPolicyRule]
From=10.9.0.50
Table=7

[Network]
DHCP=yes

[DHCPv4]
ClientIdentifier=mac
`);
});

test('networkd: IPv6 addresses in place of those that routers told, and DHCP for IPv4 as before', () => {
  const content = '[Match]\nName=eth0\n[Network]\nDHCP=yes\nIPv6AcceptRA=yes\n[DHCPv4]\nUseDNS=no\n';
  const files = [{ path: '/etc/systemd/network/20-lan.network', content }];
  const { content: text } = networkdFiles(wishFor(['fd09::77/64']), { files, iaid: 7 })[1] ?? {};
  expect(from(text, '[DHCPv4]')).toBe(
    '[DHCPv4]\nUseDNS=no\n\n[DHCPv4]\nIAID=7\n\n[Network]\nDHCP=ipv4\nIPv6AcceptRA=no\nAddress=fd09::77/64\n\n[Route]\nGateway=fd09::1\n',
  );
});

test('NetworkManager: the section of that family is another one, but for its name servers', () => {
  const content = `[connection]
id=lan
type=ethernet
interface-name=eth0

[ipv4]
method=manual
address1=10.9.0.50/24,10.9.0.1
address2=10.8.0.5/16
route1=10.7.0.0/16,10.8.0.1
dns=10.9.0.1;

[ipv6]
method=manual
address1=fd09::50/64,fd09::1
`;
  const files = [{ path: '/etc/NetworkManager/system-connections/lan.nmconnection', content }];
  const text = (wish: typeof OTHER) => from(keyfileFiles(wish, { files })[0]?.content, '[ipv4]');
  const kept = '[ipv6]\nmethod=manual\naddress1=fd09::50/64,fd09::1\nroute-metric=100\n';
  expect(text(OTHER)).toBe(
    `[ipv4]\nmethod=manual\naddress1=10.9.0.77/24\naddress2=10.6.0.1/16\ngateway=10.9.0.1\nroute-metric=100\ndns=10.9.0.1;\n\n${kept}`,
  );
  expect(text(LEASED)).toBe(`[ipv4]\nmethod=auto\nroute-metric=100\ndns=10.9.0.1;\n\n${kept}`);
  // A NIC that was to come after the others.
  const last = content.replace('method=manual', 'method=manual\nroute-metric=600\nroute-table=7');
  for (const wish of [OTHER, LEASED]) {
    const made = keyfileFiles(wish, { files: [{ path: files[0]?.path ?? '', content: last }] })[0]?.content;
    const words = from(made, '[ipv4]')
      .split('\n\n')[0]
      ?.match(/^route-.*$/gm);
    expect(words).toEqual(['route-metric=600', 'route-table=7']);
  }
});

test('netplan: addresses and routes of both families are said anew, as its lists are not looked into', () => {
  const content = `network:
  version: 2
  ethernets:
    eth0:
      addresses: [10.9.0.50/24, 10.8.0.5/16, "fd09::50/64"]
      gateway4: 10.9.0.1
      accept-ra: no
      nameservers: {addresses: [10.9.0.1]}
      routes:
      - {to: 10.7.0.0/16, via: 10.8.0.1}
      - {to: "::/0", via: "fd09::1"}
`;
  const files = [{ path: '/etc/netplan/1.yaml', content }];
  const text = (wish: typeof OTHER) =>
    from(netplanFiles(wish, { files })[0]?.content, '      accept-ra: no\n');
  const v6 = '        - to: "::/0"\n          via: "fd09::1"\n';
  const kept = '      accept-ra: no\n      nameservers: {addresses: [10.9.0.1]}\n';
  expect(text(OTHER)).toBe(
    `${kept}      dhcp4: false
      addresses:
        - "10.9.0.77/24"
        - "10.6.0.1/16"
        - "fd09::50/64"
      routes:
        - to: "0.0.0.0/0"
          via: "10.9.0.1"
${v6}`,
  );
  expect(text(LEASED)).toBe(
    `${kept}      dhcp4: true\n      addresses:\n        - "fd09::50/64"\n      routes:\n${v6}`,
  );
});

test('ifupdown: the stanza is another one; what it did besides is done as before', () => {
  const content = `auto eth0
iface eth0 inet static
	address 10.9.0.50/24
	gateway 10.9.0.1
	dns-nameservers 10.9.0.1
	post-up ip address add 10.8.0.5/16 dev eth0
	up ip -4 route add 10.7.0.0/16 via 10.8.0.1 dev eth0 || true
	post-up /usr/local/bin/tell eth0
iface eth0 inet6 static
	address fd09::50/64
	gateway fd09::1
`;
  const files = [{ path: '/etc/network/interfaces', content }];
  const text = (wish: typeof OTHER) => from(ifupdownFiles(wish, files)[0]?.content, 'auto br0\n');
  const made = `	dns-nameservers 10.9.0.1
	post-up /usr/local/bin/tell br0
	bridge_ports eth0
	bridge_stp off
	bridge_fd 0
	bridge_maxwait 0
	bridge_hw 52:54:00:aa:bb:01
`;
  const kept = `iface br0 inet6 static
	address fd09::50/64
	gateway fd09::1
# qlaunch: end of br0
`;
  expect(text(OTHER)).toBe(
    `auto br0
iface br0 inet static
	address 10.9.0.77/24
	gateway 10.9.0.1
${made}	post-up ip address add 10.6.0.1/16 broadcast + dev $IFACE
${kept}`,
  );
  expect(text(LEASED)).toBe(`auto br0\niface br0 inet dhcp\n${made}${kept}`);
  expect(text(wishFor(['fd09::77/64']))).toContain(
    'iface br0 inet6 static\n\taddress fd09::77/64\n\tgateway fd09::1\n# qlaunch: end',
  );
});

test('ifcfg: the lines of that family are others; its routes are written beside', () => {
  const content = `DEVICE=eth0
ONBOOT=yes
NM_CONTROLLED=no
BOOTPROTO=none
IPADDR=10.9.0.50
PREFIX=24
IPADDR1=10.8.0.5
PREFIX1=16
GATEWAY=10.9.0.1
DNS1=10.9.0.1
IPV6INIT=yes
IPV6ADDR=fd09::50/64
`;
  const dir = '/etc/sysconfig/network-scripts';
  const routes = { path: `${dir}/route-eth0`, content: '10.7.0.0/16 via 10.8.0.1 dev eth0\n' };
  const files = (wish: typeof OTHER) => ifcfgFiles(wish, [{ path: `${dir}/ifcfg-eth0`, content }, routes]);
  expect(from(files(OTHER)[0]?.content, 'DNS1')).toBe(
    `DNS1=10.9.0.1
IPV6INIT=yes
IPV6ADDR=fd09::50/64
BOOTPROTO=none
IPADDR=10.9.0.77
PREFIX=24
IPADDR1=10.6.0.1
PREFIX1=16
GATEWAY=10.9.0.1
`,
  );
  expect(from(files(LEASED)[0]?.content, 'DNS1')).toBe(
    'DNS1=10.9.0.1\nIPV6INIT=yes\nIPV6ADDR=fd09::50/64\nBOOTPROTO=dhcp\n',
  );
  expect(files(OTHER).map(({ path }) => path.slice(dir.length + 1))).toEqual([
    'ifcfg-br0',
    'ifcfg-eth0',
    'route-eth0',
  ]);
});
