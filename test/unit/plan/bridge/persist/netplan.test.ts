import { expect, test } from 'vitest';
import { netplanFiles } from '../../../../../src/plan/bridge/persist/netplan.ts';

const DIR = '/etc/netplan';
const WISH = { name: 'br0', uplink: 'eth0', mac: '52:54:00:aa:bb:01', addresses: [] } as const;
const OURS = `${DIR}/90-qlaunch-br0.yaml`;
const HEAD = '# qlaunch: the bridge br0. `qlaunch bridge delete br0` removes this file.\n';
const file = (name: string, content: string) => ({ path: `${DIR}/${name}`, content });
const ours = (...files: Parameters<typeof netplanFiles>[1]['files']): string =>
  netplanFiles(WISH, { files }).find(({ path }) => path === OURS)?.content ?? '';

const OLD = `# Written by the installer.
network:
    version: 2
    renderer: networkd
    ethernets:
        lan:   # the office
            match:
                macaddress: "52:54:00:AA:BB:01"
            # Two of them.
            addresses:
            - 10.9.0.50/24 # first
            - "fd09::50/64"
            routes:
                - to: default
                  via: 10.9.0.1
            wakeonlan: true
            nameservers: {addresses: [10.9.0.1], search: [lan.test]}
        eth1: {dhcp4: true}
`;

test('what the NIC had is the bridge’s, which is written first, under the name that netplan knows it by; all else stays as it is', () => {
  expect(netplanFiles({ ...WISH, vlanAware: true }, { files: [file('50-x.yaml', OLD)] })).toEqual([
    {
      mode: 0o600,
      ...file(
        '90-qlaunch-br0.yaml',
        `${HEAD}network:
  version: 2
  ethernets:
    lan:
      dhcp4: false
      dhcp6: false
      accept-ra: false
      link-local: []
  bridges:
    br0:
      interfaces: [lan]
      macaddress: "52:54:00:aa:bb:01"
      parameters:
        stp: false
        forward-delay: 0
      addresses:
      - 10.9.0.50/24 # first
      - "fd09::50/64"
      routes:
          - to: default
            via: 10.9.0.1
      nameservers: {addresses: [10.9.0.1], search: [lan.test]}
`,
      ),
    },
    {
      path: '/etc/systemd/network/10-netplan-br0.netdev.d/qlaunch.conf',
      content: `${HEAD}[Bridge]\nVLANFiltering=yes\n`,
    },
    file(
      '50-x.yaml',
      `# Written by the installer.
network:
    version: 2
    renderer: networkd
    ethernets:
        lan:   # the office
            match:
                macaddress: "52:54:00:AA:BB:01"
            # Two of them.
#qlaunch#             addresses:
#qlaunch#             - 10.9.0.50/24 # first
#qlaunch#             - "fd09::50/64"
#qlaunch#             routes:
#qlaunch#                 - to: default
#qlaunch#                   via: 10.9.0.1
            wakeonlan: true
#qlaunch#             nameservers: {addresses: [10.9.0.1], search: [lan.test]}
        eth1: {dhcp4: true}
`,
    ),
  ]);
});

test('in one line, by NetworkManager, with DHCP: the same; a key that has nothing left goes', () => {
  const content = `network: # all
  renderer: NetworkManager
  ethernets:
    eth0: {dhcp4: true, mtu: 9000, optional: true}
`;
  const [mine, old] = netplanFiles(WISH, { files: [file('01-nm.yaml', content)] });
  expect(old?.content).toBe(`network: # all
  renderer: NetworkManager
  ethernets:
#qlaunch#     eth0: {dhcp4: true, mtu: 9000, optional: true}
    eth0: {mtu: 9000, optional: true}
`);
  expect(mine?.content).toContain('      mtu: 9000\n      parameters:\n');
  expect(mine?.content).toMatch(/ {6}dhcp4: true\n {6}dhcp4-overrides:\n {8}route-metric: 100\n$/);
  const [, gone] = netplanFiles(WISH, {
    files: [file('1.yaml', 'network:\n  ethernets:\n    eth0:\n      dhcp4: yes\n')],
  });
  expect(gone?.content).toBe(
    '#qlaunch# network:\n#qlaunch#   ethernets:\n#qlaunch#     eth0:\n#qlaunch#       dhcp4: yes\n',
  );
});

test('the same DHCP client to the server: what netplan has no word for is a drop-in', () => {
  const files = [file('1.yaml', 'network:\n  ethernets:\n    eth0:\n      dhcp4: yes\n')];
  expect(netplanFiles(WISH, { files, iaid: 7 })[1]).toEqual({
    path: '/etc/systemd/network/10-netplan-br0.network.d/qlaunch.conf',
    content: `${HEAD}[DHCPv4]\nIAID=7\n`,
  });
});

test('a NIC that no file names: what is on it now; and a bridge without an uplink', () => {
  const wish = {
    ...WISH,
    addresses: ['10.9.0.50/24'],
    routes: [{ via: '10.9.0.1', metric: 5 }],
    mtu: 1400,
    stp: true,
  };
  expect(netplanFiles(wish, { files: [] })[0]?.content).toBe(`${HEAD}network:
  version: 2
  ethernets:
    eth0:
      mtu: 1400
      dhcp4: false
      dhcp6: false
      accept-ra: false
      link-local: []
  bridges:
    br0:
      interfaces: [eth0]
      macaddress: "52:54:00:aa:bb:01"
      mtu: 1400
      parameters:
        stp: true
        forward-delay: 4
      dhcp4: false
      accept-ra: false
      addresses:
        - "10.9.0.50/24"
      routes:
        - to: "0.0.0.0/0"
          via: "10.9.0.1"
          metric: 5
`);
  const plain = netplanFiles({ name: 'br0', addresses: [] }, { files: [] });
  expect(plain[0]?.content).toContain('      interfaces: []\n');
  expect(plain[0]?.content).not.toContain('ethernets');
});

test('who is who: a name, set-name, and a match that is of another', () => {
  const entry = (lines: string): ReturnType<typeof file> =>
    file('1.yaml', `network:\n  ethernets:\n    x:\n      ${lines}\n      dhcp4: true\n`);
  expect(ours(entry('match: {name: eth0}'))).toContain('interfaces: [x]');
  expect(ours(entry('set-name: eth0'))).toContain('interfaces: [x]');
  expect(ours(entry('match: {name: eth1}'))).toContain('interfaces: [eth0]');
  expect(ours(entry('match: {name: "e*", macaddress: "52:54:00:aa:bb:02"}'))).toContain('interfaces: [eth0]');
});

test.each([
  'match: {name: "e*"}',
  'match: {name: "eth?"}',
  'match: {name: "eth[01]"}',
  'match: {driver: virtio_net}',
  'match:\n        driver: ["bnx*"]\n        name: "*"',
])('an entry that may stand for several NICs is refused: %s', (match) => {
  const text = `network:\n  ethernets:\n    x:\n      ${match}\n      dhcp4: true\n`;
  expect(() => netplanFiles(WISH, { files: [file('1.yaml', text)] })).toThrow(
    expect.objectContaining({
      code: 'QL_PERSIST',
      why: [expect.stringMatching(/^x in \/etc\/netplan\/1\.yaml may stand for more NICs than eth0/)],
      todo: [expect.stringMatching(/an entry of its own for eth0 in \/etc\/netplan\/1\.yaml/)],
    }),
  );
});

test('an exact entry beside one of a driver that is another’s is the NIC’s', () => {
  const text = 'network:\n  ethernets:\n    x:\n      match: {driver: e1000}\n    eth0:\n      dhcp4: true\n';
  expect(ours(file('1.yaml', text))).toContain('interfaces: [eth0]');
});

test.each([
  ['network: {ethernets: {eth0: {dhcp4: true}}}\n', /1\.yaml:1/],
  ['network:\n  ethernets:\n    eth0: &a\n      dhcp4: true\n', /written in a way that is not read/],
  ['network:\n  ethernets:\n    eth0:\n      addresses: *all\n', /names another part/],
  ['network:\n  bridges:\n    br0:\n      dhcp4: true\n', /has br0 already/],
  ['network:\n  ethernets:\n    eth0: {dhcp4: true}\n    a: {set-name: eth0}\n', /both eth0 and a/],
])('%s is refused: %s', (content, why) => {
  expect(() => netplanFiles(WISH, { files: [file('1.yaml', content)] })).toThrow(
    expect.objectContaining({ code: 'QL_PERSIST', why: [expect.stringMatching(why)] }),
  );
});

test('a key that two files have is refused: netplan would join the lists', () => {
  const one = 'network:\n  ethernets:\n    eth0:\n      addresses: [10.9.0.50/24]\n';
  expect(() => netplanFiles(WISH, { files: [file('1.yaml', one), file('2.yaml', one)] })).toThrow(
    expect.objectContaining({ why: [expect.stringMatching(/1\.yaml and in .*2\.yaml/)] }),
  );
});
