import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ifcfgFiles, ifcfgRuler } from '../../../../../src/plan/bridge/persist/ifcfg.ts';
import { ifcfgLine, lastValue, readIfcfg } from '../../../../../src/spec/bridge/ifcfg.ts';

const DIR = '/etc/sysconfig/network-scripts';
const WISH = { name: 'br0', uplink: 'eth0', mac: '52:54:00:aa:bb:01', addresses: [] } as const;
const HEAD = '# qlaunch: the bridge br0. `qlaunch bridge delete br0` removes this file.\n';
const BACK = '# qlaunch: the bridge br0. `qlaunch bridge delete br0` puts back what was here before.\n';
const file = (name: string, content: string) => ({ path: `${DIR}/${name}`, content });
const keysOf = (text: string | undefined) =>
  Object.fromEntries(readIfcfg(text ?? '').map(({ key, value }) => [key, value]));

test('seed: ifcfg-eth0 with BRIDGE=br0 and a static ifcfg-br0 are what is made of a NIC with that address', () => {
  const old = `DEVICE=eth0
# The rack's second port.
ONBOOT=yes
HWADDR=52:54:00:AA:BB:01
BOOTPROTO="none"
IPADDR="192.168.100.10"
NETMASK="255.255.255.0"
DNS1=192.168.100.1   # the router
ETHTOOL_OPTS="wol g"
NM_CONTROLLED=no
`;
  expect(ifcfgFiles({ ...WISH, stp: true, delayS: 0 }, [file('ifcfg-eth0', old)])).toEqual([
    file(
      'ifcfg-br0',
      `${HEAD}DEVICE=br0
NAME=br0
TYPE=Bridge
ONBOOT=yes
NM_CONTROLLED=no
STP=on
DELAY=0
MACADDR=52:54:00:AA:BB:01
BOOTPROTO=none
IPADDR=192.168.100.10
NETMASK=255.255.255.0
DNS1=192.168.100.1
`,
    ),
    file(
      'ifcfg-eth0',
      `DEVICE=eth0
# The rack's second port.
ONBOOT=yes
HWADDR=52:54:00:AA:BB:01
#qlaunch# BOOTPROTO="none"
#qlaunch# IPADDR="192.168.100.10"
#qlaunch# NETMASK="255.255.255.0"
#qlaunch# DNS1=192.168.100.1   # the router
ETHTOOL_OPTS="wol g"
NM_CONTROLLED=no
${BACK}BRIDGE=br0
`,
    ),
  ]);
});

test('seed: the dhcp pair, pasted with the curly quotes of a web page: they are read, and not written again', () => {
  const old = `DEVICE=“ens33”
# BOOTPROTO is your preference. It can be “dhcp” or “static”.
BOOTPROTO=“dhcp”
IPV6INIT=”yes”
IPV6_AUTOCONF="yes"
NM_CONTROLLED=‘no’
ONBOOT="yes"
`;
  const [bridge, port] = ifcfgFiles({ ...WISH, uplink: 'ens33' }, [file('ifcfg-ens33', old)]);
  expect(keysOf(bridge?.content)).toEqual({
    ...{
      DEVICE: 'br0',
      NAME: 'br0',
      TYPE: 'Bridge',
      ONBOOT: 'yes',
      NM_CONTROLLED: 'no',
      STP: 'off',
      DELAY: '0',
    },
    ...{ MACADDR: '52:54:00:AA:BB:01', BOOTPROTO: 'dhcp', IPV6INIT: 'yes', IPV6_AUTOCONF: 'yes' },
  });
  expect(bridge?.content).not.toMatch(/[“”‘’]/);
  expect(port?.content).toContain('#qlaunch# DEVICE=“ens33”\nDEVICE=ens33\n');
  expect(port?.content).toContain(
    '# BOOTPROTO is your preference. It can be “dhcp” or “static”.\n#qlaunch# BOOTPROTO=“dhcp”\n',
  );
  expect(keysOf(port?.content)).toEqual({
    DEVICE: 'ens33',
    NM_CONTROLLED: 'no',
    ONBOOT: 'yes',
    BRIDGE: 'br0',
  });
});

test('routes and rules that the scripts find by the name of the link go along', () => {
  const files = ifcfgFiles(WISH, [
    file('ifcfg-lan', 'HWADDR=52:54:00:aa:bb:01\nBOOTPROTO=dhcp\nMTU=9000\nIPV4_ROUTE_METRIC=7\n'),
    file('route-eth0', '10.7.0.0/16 via 10.9.0.1 dev eth0\n'),
    file('rule6-lan', 'from fd09::50 table 7\n'),
    file('route-eth1', '10.6.0.0/16 via 10.8.0.1\n'),
  ]);
  expect(keysOf(files[0]?.content)).toMatchObject({
    MTU: '9000',
    IPV4_ROUTE_METRIC: '7',
    IPV6_ROUTE_METRIC: '100',
  });
  expect(files.slice(1)).toEqual([
    file(
      'ifcfg-lan',
      `HWADDR=52:54:00:aa:bb:01\n#qlaunch# BOOTPROTO=dhcp\nMTU=9000\n#qlaunch# IPV4_ROUTE_METRIC=7\n${BACK}BRIDGE=br0\n`,
    ),
    file('route-br0', `${HEAD}10.7.0.0/16 via 10.9.0.1 dev br0\n`),
    file('route-eth0', '#qlaunch# 10.7.0.0/16 via 10.9.0.1 dev eth0\n'),
    file('rule6-br0', `${HEAD}from fd09::50 table 7\n`),
    file('rule6-lan', '#qlaunch# from fd09::50 table 7\n'),
  ]);
});

test('a NIC that no file is for: what is on it now', () => {
  const wish = {
    ...{ ...WISH, addresses: ['10.9.0.50/24', '10.9.0.60/24', 'fd09::50/64', 'fd09::51/64'], mtu: 1400 },
    routes: [{ via: '10.9.0.1' }, { via: 'fd09::1' }, { to: '10.7.0.0/16', via: '10.9.0.2', metric: 77 }],
  };
  const [bridge, port, routes] = ifcfgFiles(wish, []);
  expect(keysOf(bridge?.content)).toMatchObject({
    ...{ BOOTPROTO: 'none', IPADDR: '10.9.0.50', PREFIX: '24', IPADDR1: '10.9.0.60', GATEWAY: '10.9.0.1' },
    ...{
      IPV6INIT: 'yes',
      IPV6_AUTOCONF: 'no',
      IPV6ADDR: 'fd09::50/64',
      IPV6_DEFAULTGW: 'fd09::1',
      MTU: '1400',
    },
    IPV6ADDR_SECONDARIES: 'fd09::51/64',
  });
  expect(keysOf(port?.content)).toEqual({
    DEVICE: 'eth0',
    TYPE: 'Ethernet',
    ONBOOT: 'yes',
    BRIDGE: 'br0',
    MTU: '1400',
  });
  expect(routes).toEqual(file('route-br0', `${HEAD}10.7.0.0/16 via 10.9.0.2 dev br0 metric 77\n`));
  expect(keysOf(ifcfgFiles({ ...WISH, addresses: [], dhcp4: true, ra: true }, [])[0]?.content)).toMatchObject(
    {
      ...{ BOOTPROTO: 'dhcp', IPV6INIT: 'yes', IPV6_AUTOCONF: 'yes' },
    },
  );
});

test.each([
  ['ifcfg-eth0', 'DEVICE=eth0\nBRIDGE=br7\n', /a port of br7/],
  ['ifcfg-x', 'DEVICE=br0\nTYPE=Bridge\n', /about br0 already/],
  ['ifcfg-br0', 'TYPE=Bridge\n', /about br0 already/],
])('%s is refused: %s', (name, content, why) => {
  expect(() => ifcfgFiles(WISH, [file(name, content)])).toThrow(
    expect.objectContaining({ code: 'QL_PERSIST', why: [expect.stringMatching(why)] }),
  );
});

test('whatever a value is: sh, which the network scripts read with, and we read what was written', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'aZ0 "\'\\$`#;=&|<>~*-'), maxLength: 12 }), (value) => {
      const line = ifcfgLine('KEY', value);
      expect(lastValue(readIfcfg(line), 'KEY')).toBe(value);
      expect(execFileSync('sh', ['-c', `${line}\nprintf %s. "$KEY"`], { encoding: 'utf8' })).toBe(
        `${value}.`,
      );
    }),
    { numRuns: 40 },
  );
});

/**
 * No Debian package reads these files: its NetworkManager is built without ifcfg-rh, and there are no network scripts.
 * So they are read as the scripts read them, by sh, and by us again.
 */
function inSh(content: string | undefined): Readonly<Record<string, string>> {
  // Only what the file says: nothing of the environment, nothing of sh's own.
  const said = execFileSync('env', ['-i', 'sh', '-c', `${content ?? ''}\nset`], { encoding: 'utf8' });
  const own = execFileSync('env', ['-i', 'sh', '-c', 'set'], { encoding: 'utf8' }).split('\n');
  const lines = said.split('\n').filter((line) => line !== '' && !own.includes(line));
  return Object.fromEntries(
    lines.map((line) => [
      line.split('=')[0] ?? '',
      line.slice(line.indexOf('=') + 1).replaceAll(/^'|'$/g, ''),
    ]),
  );
}

const SEED_002 = `DEVICE="ens33"
# BOOTPROTO is your preference. It can be “dhcp” or “static”.
# If “static”, be sure to specify the IP address, netmask and gateway.
BOOTPROTO="dhcp"
IPV6INIT="yes"
IPV6_AUTOCONF="yes"
NM_CONTROLLED="no"
ONBOOT="yes"
DELAY="0"
`;
const SEED_003 = `DEVICE="ens33"
ONBOOT="yes"
BOOTPROTO="none"
IPADDR="192.168.100.10"
NETMASK="255.255.255.0"
`;
const COMMON = { DEVICE: 'br0', NAME: 'br0', TYPE: 'Bridge', ONBOOT: 'yes', MACADDR: '52:54:00:AA:BB:01' };
const V6 = { IPV6INIT: 'yes', IPV6_AUTOCONF: 'yes' };
const STATIC = { BOOTPROTO: 'none', IPADDR: '192.168.100.10', NETMASK: '255.255.255.0' };
/** NetworkManager gives routes of bridges another metric. */
const METRICS = { IPV4_ROUTE_METRIC: '100', IPV6_ROUTE_METRIC: '100' };

test.each([
  ['dhcp', SEED_002, {}, { BOOTPROTO: 'dhcp', ...V6, NM_CONTROLLED: 'no', STP: 'off', DELAY: '0' }],
  [
    'dhcp, all of it with curly quotes',
    SEED_002.replaceAll(/"([^"]*)"/g, '“$1”'),
    { stp: true },
    { BOOTPROTO: 'dhcp', ...V6, NM_CONTROLLED: 'no', STP: 'on', DELAY: '4' },
  ],
  ['static', SEED_003, { stp: true, delayS: 0 }, { ...STATIC, STP: 'on', DELAY: '0', ...METRICS }],
  [
    'static, with the quotes that a phone makes',
    SEED_003.replaceAll(/"([^"]*)"/g, '‘$1’'),
    { stp: true, delayS: 7 },
    { ...STATIC, STP: 'on', DELAY: '7', ...METRICS },
  ],
  [
    'IPv6 by hand',
    `${SEED_003}IPV6INIT=“yes”\nIPV6_AUTOCONF=”no”\nIPV6ADDR="fd09::50/64"\nNM_CONTROLLED=“yes”\n`,
    {},
    {
      ...{ ...STATIC, IPV6INIT: 'yes', IPV6_AUTOCONF: 'no', IPV6ADDR: 'fd09::50/64' },
      ...{ NM_CONTROLLED: 'yes', STP: 'off', DELAY: '0', ...METRICS },
    },
  ],
])('seeds, round trip: %s', (_, old, settings, says) => {
  const wish = { ...WISH, uplink: 'ens33', ...settings };
  const [bridge, port] = ifcfgFiles(wish, [file('ifcfg-ens33', old)]);
  expect(inSh(bridge?.content)).toEqual({ ...COMMON, ...says });
  expect(keysOf(bridge?.content)).toEqual(inSh(bridge?.content));
  expect(inSh(port?.content)).toMatchObject({ DEVICE: 'ens33', ONBOOT: 'yes', BRIDGE: 'br0' });
  expect(keysOf(port?.content)).toEqual(inSh(port?.content));
  for (const key of ['BOOTPROTO', 'IPADDR', 'IPV6INIT', 'IPV6_AUTOCONF', 'IPV6ADDR'])
    expect(inSh(port?.content)).not.toHaveProperty(key);
  // What we read of them: the bridge has the name, the NIC is its port, and is not taken twice.
  const written = [bridge, port].flatMap((one) => (one === undefined ? [] : [one]));
  expect(ifcfgRuler(written, 'br0', undefined)).toBe(`${DIR}/ifcfg-br0`);
  expect(() => ifcfgFiles({ ...wish, name: 'br1' }, written)).toThrow(
    expect.objectContaining({ why: [expect.stringContaining('a port of br0')] }),
  );
});

test('a file that is not for the boot is nobody’s; of two that are, and of aliases, none is taken', () => {
  const on = file('ifcfg-eth0', 'DEVICE=eth0\nONBOOT=yes\nIPADDR=192.0.2.5\nPREFIX=24\n');
  const off = file('ifcfg-a', 'DEVICE=eth0\nONBOOT="No"\nIPADDR=192.0.2.9\n');
  expect(ifcfgRuler([off], 'eth0', undefined)).toBeUndefined();
  expect(ifcfgFiles(WISH, [off, on]).map(({ path }) => path)).toEqual([`${DIR}/ifcfg-br0`, on.path]);
  expect(ifcfgFiles(WISH, [off, on])[0]?.content).toContain('IPADDR=192.0.2.5\n');
  const refused = (why: RegExp, ...files: readonly ReturnType<typeof file>[]): void =>
    expect(() => ifcfgFiles(WISH, files)).toThrow(
      expect.objectContaining({ code: 'QL_PERSIST', why: [expect.stringMatching(why)] }),
    );
  refused(/ifcfg-a and .*ifcfg-eth0 are both for eth0/, file('ifcfg-a', 'DEVICE=eth0\n'), on);
  refused(/ifcfg-eth0:1 has more addresses of eth0/, on, file('ifcfg-eth0:1', 'IPADDR=192.0.2.6\n'));
  refused(/eth0-range0 has more addresses/, on, file('ifcfg-eth0-range0', 'IPADDR_START=192.0.2.7\n'));
  refused(/ifcfg-eth0 is there, and does not/, file('ifcfg-eth0', 'DEVICE=eth0\nONBOOT=no\n'));
});
