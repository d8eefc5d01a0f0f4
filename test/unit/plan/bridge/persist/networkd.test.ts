import { expect, test } from 'vitest';
import { iaidOf, networkdFiles } from '../../../../../src/plan/bridge/persist/networkd.ts';
import { insteadOf } from '../../../../../src/plan/bridge/persist/wish.ts';

const DIR = '/etc/systemd/network';
const WISH = { name: 'br0', uplink: 'eth0', mac: '52:54:00:aa:bb:01', addresses: [] } as const;
const HEAD = '# qlaunch: the bridge br0. `qlaunch bridge delete br0` removes this file.\n';
const file = (name: string, content: string) => ({ path: `${DIR}/${name}`, content });

test('what the NIC had is the bridge’s, remarks included; VLANs and layer 2 stay with the port', () => {
  const old = file(
    '20-lan.network',
    `[Match]
MACAddress=52-54-00-AA-BB-01
Type=ether

[Link]
MTUBytes=9000
RequiredForOnline=routable

[Network]
DHCP=yes
# Of the cameras.
VLAN=cam
DNS=10.9.0.1 \\
  10.9.0.2

[DHCPv4]
; the boss wants it
UseDomains=yes

[RoutingPolicyRule]
IncomingInterface=eth0
Table=7

[CAN]
BitRate=1
`,
  );
  const lease = 'ADDRESS=10.9.0.50\nCLIENTID=ffd0fb083f0002000000ab11\n';
  const files = networkdFiles(WISH, { files: [old], iaid: iaidOf(lease) ?? 0 });
  expect(files).toEqual([
    file(
      '10-qlaunch-br0.netdev',
      `${HEAD}[NetDev]
Name=br0
Kind=bridge
MACAddress=52:54:00:aa:bb:01
MTUBytes=9000

[Bridge]
STP=no
ForwardDelaySec=0
`,
    ),
    file(
      '10-qlaunch-br0.network',
      `${HEAD}[Match]
Name=br0

[Link]
RequiredForOnline=routable

[Network]
DHCP=yes
DNS=10.9.0.1 \\
  10.9.0.2

[DHCPv4]
; the boss wants it
UseDomains=yes

[RoutingPolicyRule]
IncomingInterface=br0
Table=7

[DHCPv4]
IAID=3506112575

[DHCPv6]
IAID=3506112575
`,
    ),
    file(
      '10-qlaunch-br0-port.network',
      `${HEAD}[Match]
Name=eth0

[Link]
MTUBytes=9000
RequiredForOnline=no

[Network]
Bridge=br0
# Of the cameras.
VLAN=cam
LinkLocalAddressing=no
IPv6AcceptRA=no
LLDP=no

[CAN]
BitRate=1
`,
    ),
  ]);
});

test('a NIC that no file names: what is on it now; STP, delay, MTU and VLANs as asked', () => {
  const wish = {
    ...{
      ...WISH,
      addresses: ['10.9.0.50/24', 'fd09::50/64'],
      stp: true,
      delayS: 7,
      mtu: 1400,
      vlanAware: true,
    },
    routes: [
      { via: '10.9.0.1', metric: 100 },
      { to: '10.7.0.0/16', via: '10.9.0.2' },
    ],
    ra: true,
  };
  const [netdev, network] = networkdFiles(wish, { files: [file('50-x.network', '[Match]\nName=eth1\n')] });
  expect(netdev?.content).toContain(
    'MTUBytes=1400\n\n[Bridge]\nSTP=yes\nForwardDelaySec=7\nVLANFiltering=yes\n',
  );
  expect(network?.content).toBe(`${HEAD}[Match]
Name=br0

[Network]
IPv6AcceptRA=yes
Address=10.9.0.50/24
Address=fd09::50/64

[Route]
Gateway=10.9.0.1
Metric=100

[Route]
Destination=10.7.0.0/16
Gateway=10.9.0.2
`);
});

test('of the files that match, ours is the first, whatever they are called and however they choose', () => {
  const names = (old: string, content: string): readonly string[] =>
    networkdFiles(WISH, { files: [file(old, content)] }).map(({ path }) => path.slice(DIR.length + 1, -8));
  expect(names('10-all.network', '[Match]\nName=e*\n')[0]).toMatch(/^0-qlaunch/);
  // What is before the list means all of it.
  expect(names('05-all.network', '[Match]\nName=!br* e*\n')[0]).toMatch(/^10-qlaunch/);
  expect(names('05-all.network', '[Match]\nName=e*\n')[0]).toMatch(/^0-qlaunch/);
  expect(names('00-all.network', '[Match]\nName=e*\n')[0]).toMatch(/^0-qlaunch/);
  // It would have the bridge, not the NIC.
  expect(names('05-bridges.network', '[Match]\nType=bridge\n')[0]).toMatch(/^0-qlaunch/);
  expect(names('05-wifi.network', '[Match]\nWLANInterfaceType=station\n')[0]).toMatch(/^10-qlaunch/);
});

test.each([
  ['0-a.network', '[Match]\nName=eth0\n', /comes before any name/],
  ['50-a.network', '[Match]\nName=eth0\n[Network]\nBridge=br7\n', /a port of another bridge/],
  ['50-a.network', '[Match]\nDriver=igb\n', /chooses its links by Driver/],
  ['10-netplan-eth0.network', '[Match]\nName=eth0\n', /made by netplan/],
  ['50-a.netdev', '[NetDev]\nName=br0\nKind=bridge\n', /is about br0 already/],
])('%s is refused: %s', (name, content, why) => {
  const order = (): unknown => networkdFiles(WISH, { files: [file(name, content)] });
  expect(order).toThrow(expect.objectContaining({ code: 'QL_PERSIST', why: [expect.stringMatching(why)] }));
});

test('for a networkd that has the NIC now: in /run, in front of netplan’s, nothing given up; ours are not in the way later', () => {
  const netplans = {
    path: '/run/systemd/network/10-netplan-eth0.network',
    content: '[Match]\nName=eth0\n\n[Network]\nDHCP=ipv4\n',
  };
  const live = networkdFiles(WISH, { files: [netplans], ruling: netplans.path, live: true });
  expect(live.map(({ path }) => path)).toEqual(
    ['.netdev', '.network', '-port.network'].map((end) => `/run/systemd/network/0-0-qlaunch-br0${end}`),
  );
  expect(live[1]?.content).toContain('[Network]\nKeepConfiguration=yes\n\n[DHCPv4]\nSendRelease=no\n');
  expect(insteadOf(live[2]?.content ?? '')).toBe(netplans.path);

  const own = file('20-lan.network', '[Match]\nName=eth0\n\n[Network]\nDHCP=yes\n');
  const now = networkdFiles(WISH, { files: [own], live: true });
  const kept = networkdFiles(WISH, { files: [...now, own] });
  expect(kept).toEqual(networkdFiles(WISH, { files: [own] }));
  expect(kept[0]?.path).toBe(`${DIR}/10-qlaunch-br0.netdev`);
  // A reload takes those of now, which keep what is there, and not those of the next boot.
  const base = (path: string = ''): string => path.slice(path.lastIndexOf('/') + 1);
  for (const at of [0, 1, 2]) expect(base(now[at]?.path) < base(kept[at]?.path)).toBe(true);
});

test('an identifier that has the IAID in it is one of the NIC’s, also where the file says so; the others have none', () => {
  const of = (identifier: string): string => {
    const text = `[Match]\nName=eth0\n[Network]\nDHCP=ipv4\n[DHCPv4]\nClientIdentifier=${identifier}\n`;
    const files = networkdFiles(WISH, { files: [file('20-lan.network', text)], iaid: 7 });
    return /\[DHCPv4\]\nIAID=7\n/.test(files[1]?.content ?? '') ? 'kept' : 'none';
  };
  expect(['duid', 'mac', 'duid-only'].map(of)).toEqual(['kept', 'none', 'none']);
});

test('a file that networkd has read and that is gone by now is not taken for an empty one, nor for another', () => {
  const files = [file('30-any.network', '[Match]\nName=e*\n[Network]\nDHCP=yes\n')];
  const ruling = `${DIR}/20-lan.network`;
  expect(() => networkdFiles(WISH, { files, ruling, live: true })).toThrow(
    expect.objectContaining({ why: [`${ruling}, which systemd-networkd has read, is gone by now`] }),
  );
  // At boot what is there counts.
  expect(networkdFiles(WISH, { files, ruling })[1]?.content).toContain('DHCP=yes');
});
