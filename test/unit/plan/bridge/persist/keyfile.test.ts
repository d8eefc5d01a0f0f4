import { expect, test } from 'vitest';
import { keyfileFiles } from '../../../../../src/plan/bridge/persist/keyfile.ts';

const DIR = '/etc/NetworkManager/system-connections';
const WISH = { name: 'br0', uplink: 'eth0', mac: '52:54:00:aa:bb:01', addresses: [] } as const;
const file = (name: string, content: string) => ({ path: `${DIR}/${name}.nmconnection`, content });
const ethernet = (more: string): string => `[connection]\nid=lan\nuuid=u1\ntype=ethernet\n${more}`;

test('what the NIC had is the bridge’s; its own profile stays, and is not brought up by itself', () => {
  const old = file(
    'lan',
    `# mine
[connection]
id=lan
uuid=11111111-1111-1111-1111-111111111111
type=802-3-ethernet
autoconnect=true
autoconnect-priority=200
zone=home

[802-3-ethernet]
mac-address=52:54:00:AA:BB:01
mtu=9000

[ipv4]
# the boss wants it
dhcp-client-id=duid
method=auto

[ipv6]
method=disabled
`,
  );
  const files = keyfileFiles({ ...WISH, stp: true, vlanAware: true }, { files: [old] });
  expect(files.map(({ path, mode }) => [path.slice(DIR.length + 1), mode])).toEqual([
    ['br0.nmconnection', 0o600],
    ['br0-port-eth0.nmconnection', 0o600],
    ['lan.nmconnection', undefined],
  ]);
  expect(files[0]?.content.replaceAll(/^uuid=.*/gm, 'uuid=U').replace(/^# {3}nmcli.*$/m, '')).toBe(
    `# qlaunch: the bridge br0. \`qlaunch bridge delete br0\` removes this file.
# The same by hand:

[connection]
id=br0
uuid=U
type=bridge
interface-name=br0
autoconnect-priority=201
autoconnect-slaves=1
zone=home

[ethernet]
cloned-mac-address=52:54:00:AA:BB:01
mtu=9000

[bridge]
stp=true
forward-delay=4
vlan-filtering=true

[ipv4]
# the boss wants it
dhcp-client-id=duid
method=auto
route-metric=100

[ipv6]
method=disabled
`,
  );
  const uuid = /^uuid=(.*)$/m.exec(files[0]?.content ?? '')?.[1];
  expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(files[1]?.content).toContain(
    `master=${uuid}\nslave-type=bridge\n\n[ethernet]\nmac-address=52:54:00:AA:BB:01\nmtu=9000\n`,
  );
  expect(files[2]?.content).toBe(
    old.content
      .replace('[connection]\n', '[connection]\nautoconnect=false\n')
      .replace('autoconnect=true', '#qlaunch# autoconnect=true'),
  );
});

test('seed: nmcli con add type bridge ifname br0; con add type ethernet ifname enp3s0f1 master bridge-br0', () => {
  const wish = { ...WISH, uplink: 'enp3s0f1', dhcp4: true, ra: true };
  const lines = keyfileFiles(wish, { files: [] }).map(
    ({ content }) => /^# {3}(nmcli .*)$/m.exec(content)?.[1] ?? '',
  );
  expect(lines[0]).toMatch(/^nmcli connection add type bridge con-name br0 ifname br0 connection\.uuid \S+ /);
  expect(lines[0]).toContain(' bridge.stp false ipv4.method auto ipv4.route-metric 100 ipv6.method auto ');
  expect(lines[1]).toMatch(/^nmcli connection add type ethernet con-name br0-port-enp3s0f1 ifname enp3s0f1 /);
  expect(lines[1]).toMatch(/ connection\.master \S+ connection\.slave-type bridge$/);
});

test('a NIC that no profile names: what is on it now; nmcli says lists its own way', () => {
  const wish = {
    ...{ ...WISH, addresses: ['10.9.0.50/24', '10.9.0.60/24', 'fd09::50/64'], mtu: 1400 },
    routes: [
      { via: '10.9.0.1', metric: 7 },
      { to: '10.7.0.0/16', via: '10.9.0.2', metric: 77 },
      { to: '10.6.0.0/16', via: '10.9.0.2' },
    ],
  };
  const [bridge, port] = keyfileFiles(wish, { files: [file('x', ethernet('interface-name=eth1\n'))] });
  expect(bridge?.content).toContain(`[ipv4]
method=manual
address1=10.9.0.50/24
address2=10.9.0.60/24
gateway=10.9.0.1
route1=10.7.0.0/16,10.9.0.2,77
route2=10.6.0.0/16,10.9.0.2
route-metric=7

[ipv6]
method=manual
address1=fd09::50/64
route-metric=100
`);
  expect(bridge?.content).toContain(
    "ipv4.addresses '10.9.0.50/24, 10.9.0.60/24' ipv4.gateway 10.9.0.1 ipv4.routes '10.7.0.0/16 10.9.0.2 77, 10.6.0.0/16 10.9.0.2'",
  );
  expect(port?.content).toContain('[ethernet]\nmtu=1400\n');
});

test('the port keeps its MAC address, whatever NetworkManager would make of the UUID of another profile', () => {
  const plain = ethernet('interface-name=eth0\n');
  const port = (text: string, live?: true): readonly string[] | undefined =>
    keyfileFiles(WISH, {
      files: [file('x', text)],
      ...(live === undefined ? {} : { live, ruling: 'u1' }),
    })[1]?.content.match(/^(cloned-mac-address|mtu)=.*$/gm) ?? undefined;
  const own = 'cloned-mac-address=52:54:00:AA:BB:01';
  expect(port(`${plain}\n[ethernet]\nmtu=1400\ncloned-mac-address=random\n`)).toEqual(['mtu=1400', own]);
  expect(port(plain, true)).toEqual([own]);
  expect(port(plain)).toBe(undefined);
});

test('which profile is the NIC’s: the one that is up, else the one that names it, else the strongest', () => {
  const pick = (files: readonly ReturnType<typeof file>[], ruling?: string): string | undefined =>
    keyfileFiles(WISH, { files, ...(ruling === undefined ? {} : { ruling }) })[2]?.path;
  const any = file('any', ethernet('').replace('u1', 'u9'));
  const named = file('named', ethernet('interface-name=eth0\n'));
  const strong = file('strong', ethernet('interface-name=eth0\nautoconnect-priority=5\n'));
  const off = file('off', ethernet('interface-name=eth0\nautoconnect-priority=9\nautoconnect=false\n'));
  expect(pick([any, named])).toBe(named.path);
  expect(pick([any, named, strong, off])).toBe(strong.path);
});

test('a profile that is for any NIC stays as it is, also where it is the one that is up; ours is stronger', () => {
  const any = file('any', `${ethernet('autoconnect-priority=300\n')}\n[ipv4]\nmethod=auto\n`);
  const named = file('named', ethernet('interface-name=eth0\n').replace('u1', 'u9'));
  for (const facts of [{ files: [any] }, { files: [any, named], ruling: 'u1' }]) {
    const files = keyfileFiles(WISH, facts);
    expect(files.map(({ path }) => path.slice(DIR.length + 1))).toEqual([
      'br0.nmconnection',
      'br0-port-eth0.nmconnection',
    ]);
    for (const { content } of files) expect(content).toContain('autoconnect-priority=301\n');
    expect(files[0]?.content).toContain('[ipv4]\nmethod=auto\n');
  }
});

test.each([
  [
    [ethernet('interface-name=eth0\n'), ethernet('interface-name=eth0\n')],
    /0\.nmconnection and .*1\.nmconnection are both for eth0/,
  ],
  [[ethernet('interface-name=eth0\nmaster=br7\n')], /a port of br7/],
  [[ethernet('multi-connect=3\n')], /for several NICs at once \(multi-connect=3\)/],
  [['[connection]\nid=b\ntype=bond\ninterface-name=eth0\n'], /a profile of a bond/],
  [[ethernet('interface-name=br0\n')], /about br0 already/],
])('%j is refused: %s', (texts, why) => {
  const files = texts.map((text, index) => file(String(index), text));
  expect(() => keyfileFiles(WISH, { files })).toThrow(
    expect.objectContaining({ code: 'QL_PERSIST', why: [expect.stringMatching(why)] }),
  );
});
