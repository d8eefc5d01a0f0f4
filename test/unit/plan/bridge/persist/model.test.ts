import { expect, test } from 'vitest';
import { ifcfgFiles } from '../../../../../src/plan/bridge/persist/ifcfg.ts';
import { ifupdownFiles } from '../../../../../src/plan/bridge/persist/ifupdown.ts';
import { keyfileFiles } from '../../../../../src/plan/bridge/persist/keyfile.ts';
import { modelOf } from '../../../../../src/plan/bridge/persist/model.ts';
import { netplanFiles } from '../../../../../src/plan/bridge/persist/netplan.ts';
import { networkdFiles } from '../../../../../src/plan/bridge/persist/networkd.ts';
import { ipScript } from '../../../../../src/plan/bridge/persist/none.ts';

const address = (local: string, more: object = {}) =>
  ({ family: 'inet', local, prefixlen: 24, scope: 'global', flags: [], ...more }) as const;
const route = (row: object) =>
  ({ family: 'inet', row: { type: 'unicast', dev: 'eth0', table: 'main', flags: [], ...row } }) as const;
const on = (more: Partial<Parameters<typeof modelOf>[0]>) => ({
  ...{ link: 'eth0', addresses: [address('192.0.2.5')], routes: [], neighbours: [], rules: [] },
  ...more,
});
const KERNEL = route({ dst: '192.0.2.0/24', protocol: 'kernel', prefsrc: '192.0.2.5' });
const PLAIN = route({ dst: 'default', gateway: '192.0.2.1', protocol: 'static', flags: ['linkdown'] });
const RULE = {
  family: 'inet',
  row: { priority: 100, src: 'all', iif: 'eth0', table: '7' },
} as const;

test('addresses and routes through a gateway are said; what comes by itself is neither said nor missed', () => {
  const lease = route({ dst: 'default', gateway: '192.0.2.1', protocol: 'dhcp', prefsrc: '192.0.2.9' });
  expect(modelOf(on({ routes: [KERNEL, PLAIN, lease] }))).toEqual({
    addresses: ['192.0.2.5/24'],
    routes: [{ via: '192.0.2.1' }],
    rules: [],
    dhcp4: false,
    ra: false,
    unsaid: [],
  });
});

const HOPS = [
  { dev: 'eth0', gateway: '192.0.2.1', weight: 2 },
  { dev: 'eth0', gateway: '192.0.2.2', weight: 1 },
];
const SEVERAL = route({ dev: undefined, dst: 'default', nexthops: HOPS });
const STATIC = route({ dst: '10.7.0.0/16', protocol: 'static' });

test.each([
  [{ routes: [STATIC] }, 'the route 10.7.0.0/16'],
  [
    {
      routes: [route({ dst: 'default', nexthops: [...HOPS, { dev: 'eth1', gateway: '10.0.0.1' }] })],
    },
    'the route default by several ways',
  ],
  [
    { routes: [route({ dst: 'default', gateway: '192.0.2.1', table: 'office' })] },
    'the route default via 192.0.2.1 of the table office',
  ],
  [
    { addresses: [address('192.0.2.5', { peer: '192.0.2.9' })] },
    'the address 192.0.2.5 with the peer 192.0.2.9',
  ],
  [{ rules: [{ ...RULE, row: { ...RULE.row, goto: 200 } }] }, 'the policy rule 100'],
  [{ rules: [{ ...RULE, row: { ...RULE.row, table: 'office' } }] }, 'the policy rule 100'],
  [{ rules: [{ ...RULE, row: { ...RULE.row, l3mdev: null } }] }, 'the policy rule 100'],
])('what no file says is named: %j', (more, unsaid) => {
  const model = modelOf(on(more));
  expect(model.unsaid).toEqual([unsaid]);
  expect([model.routes, model.rules]).toEqual([[], []]);
});

/** What a bridge has that its uplink had by nobody's files. */
const MUCH = on({
  addresses: [address('192.0.2.5'), address('2001:db8::5', { family: 'inet6', prefixlen: 64 })],
  routes: [
    KERNEL,
    SEVERAL,
    route({
      dst: 'default',
      gateway: '10.0.0.1',
      table: '7',
      metric: 5,
      flags: ['onlink'],
      prefsrc: '192.0.2.5',
    }),
    { ...route({ dst: 'default', gateway: '2001:db8::1', pref: 'medium', metric: 1024 }), family: 'inet6' },
  ],
  rules: [
    RULE,
    {
      family: 'inet',
      row: { priority: 101, not: null, src: '192.0.2.5', fwmark: '0x1', fwmask: '0xff', table: '7' },
    },
    {
      family: 'inet6',
      row: {
        priority: 102,
        src: 'all',
        dst: '2001:db8:1::',
        dstlen: 48,
        oif: 'eth0',
        action: 'blackhole',
      },
    },
    { family: 'inet', row: { priority: 103, src: '192.0.2.9', table: '7' } },
  ],
} as never);
const WISH = { name: 'br0', uplink: 'eth0', ...modelOf(MUCH) };

test('networkd: rules, routes by several ways and those of other tables', () => {
  const text = networkdFiles(WISH, { files: [] })[1]?.content ?? '';
  expect(text.slice(text.indexOf('[Route]'))).toBe(`[Route]
Destination=0.0.0.0/0
MultiPathRoute=192.0.2.1@br0 2
MultiPathRoute=192.0.2.2@br0 1

[Route]
Gateway=10.0.0.1
GatewayOnLink=yes
Metric=5
Table=7
PreferredSource=192.0.2.5

[Route]
Gateway=2001:db8::1
Metric=1024

[RoutingPolicyRule]
Family=ipv4
Priority=100
IncomingInterface=br0
Table=7

[RoutingPolicyRule]
Priority=101
InvertRule=yes
From=192.0.2.5
FirewallMark=0x1/0xff
Table=7

[RoutingPolicyRule]
Priority=102
To=2001:db8:1::/48
OutgoingInterface=br0
Type=blackhole
`);
});

test('NetworkManager: the same; several ways of IPv6 are named and refused', () => {
  const text = keyfileFiles(WISH, { files: [] })[0]?.content ?? '';
  expect(text.slice(text.indexOf('[ipv4]'))).toBe(`[ipv4]
method=manual
address1=192.0.2.5/24
route1=0.0.0.0/0,192.0.2.1
route1_options=weight=2
route2=0.0.0.0/0,192.0.2.2
route2_options=weight=1
route3=0.0.0.0/0,10.0.0.1,5
route3_options=onlink=true,src=192.0.2.5,table=7
routing-rule1=priority 100 from 0.0.0.0/0 iif br0 table 7
routing-rule2=priority 101 not from 192.0.2.5 fwmark 0x1/0xff table 7
route-metric=100

[ipv6]
method=manual
address1=2001:db8::5/64
gateway=2001:db8::1
routing-rule1=priority 102 from ::/0 to 2001:db8:1::/48 oif br0 blackhole
route-metric=1024
`);
  const hops = [{ via: '2001:db8::1' }, { via: '2001:db8::2' }];
  const several = { ...WISH, routes: [{ via: '2001:db8::1', hops }] };
  expect(() => keyfileFiles(several, { files: [] })).toThrow(
    expect.objectContaining({ why: [expect.stringContaining('the route default by several ways of IPv6')] }),
  );
});

test('netplan: routes of other tables in its own words, the rest beside, for networkd; for NetworkManager it is refused', () => {
  const [yaml, dropIn] = netplanFiles(WISH, { files: [] });
  expect(yaml?.content).toContain(`      routes:
        - to: "0.0.0.0/0"
          via: "10.0.0.1"
          metric: 5
          table: 7
          on-link: true
          from: "192.0.2.5"
        - to: "::/0"
`);
  expect(dropIn?.path).toBe('/etc/systemd/network/10-netplan-br0.network.d/qlaunch.conf');
  expect(dropIn?.content).toContain('MultiPathRoute=192.0.2.1@br0 2\n');
  expect(dropIn?.content).toContain(
    '[RoutingPolicyRule]\nFamily=ipv4\nPriority=100\nIncomingInterface=br0\n',
  );
  const nm = [{ path: '/etc/netplan/1.yaml', content: 'network:\n  renderer: NetworkManager\n' }];
  expect(() => netplanFiles(WISH, { files: nm })).toThrow(
    expect.objectContaining({ why: [expect.stringContaining('policy rules of an interface')] }),
  );
});

test('ifupdown: by ip, and rules go when it is taken down', () => {
  const { uplink: _, ...wish } = WISH;
  const [file] = ifupdownFiles(wish, [{ path: '/etc/network/interfaces', content: '' }]);
  expect(
    file?.content,
  ).toContain(`	post-up ip route add default nexthop via 192.0.2.1 dev $IFACE weight 2 nexthop via 192.0.2.2 dev $IFACE weight 1
	post-up ip route add default via 10.0.0.1 dev $IFACE metric 5 table 7 src 192.0.2.5 onlink
	post-up ip -4 rule add from all iif $IFACE priority 100 table 7
	pre-down ip -4 rule del from all iif $IFACE priority 100 table 7
	post-up ip -4 rule add not from 192.0.2.5 fwmark 0x1/0xff priority 101 table 7
	pre-down ip -4 rule del not from 192.0.2.5 fwmark 0x1/0xff priority 101 table 7
iface br0 inet6 static
	address 2001:db8::5/64
	gateway 2001:db8::1
	metric 1024
	post-up ip -6 rule add from all to 2001:db8:1::/48 oif $IFACE priority 102 blackhole
`);
});

test('ifcfg: files of lines for the network scripts; for NetworkManager what it has keys for', () => {
  const texts = (reader: 'scripts' | 'NetworkManager', wish = WISH) =>
    Object.fromEntries(
      ifcfgFiles(wish, [], reader).map(({ path, content }) => [
        path.slice(path.lastIndexOf('/') + 1),
        content.replace(/^#.*\n/, ''),
      ]),
    );
  const scripts = texts('scripts');
  expect(scripts).toMatchObject({
    'route-br0': `default nexthop via 192.0.2.1 dev br0 weight 2 nexthop via 192.0.2.2 dev br0 weight 1
default via 10.0.0.1 dev br0 metric 5 table 7 src 192.0.2.5 onlink
`,
    'rule-br0': `from all iif br0 priority 100 table 7
not from 192.0.2.5 fwmark 0x1/0xff priority 101 table 7
`,
    'rule6-br0': 'from all to 2001:db8:1::/48 oif br0 priority 102 blackhole\n',
  });
  expect(scripts['ifcfg-br0']).not.toContain('ROUTING_RULE');
  expect(() => texts('NetworkManager')).toThrow(
    expect.objectContaining({
      why: [expect.stringContaining('the network scripts, which are not installed')],
    }),
  );
  const nm = texts('NetworkManager', { ...WISH, routes: WISH.routes.slice(1) });
  expect(Object.keys(nm).toSorted()).toEqual(['ifcfg-br0', 'ifcfg-eth0', 'route-br0', 'route6-br0']);
  expect(nm['ifcfg-br0']).toContain(`ROUTING_RULE_1="priority 100 from 0.0.0.0/0 iif br0 table 7"
ROUTING_RULE_2="priority 101 not from 192.0.2.5 fwmark 0x1/0xff table 7"
ROUTING_RULE6_1="priority 102 from ::/0 to 2001:db8:1::/48 oif br0 blackhole"
`);
});

test.each([
  ['netplan', (wish: Wish) => netplanFiles(wish, { files: [] })],
  ['networkd', (wish: Wish) => networkdFiles(wish, { files: [] })],
  ['keyfile', (wish: Wish) => keyfileFiles(wish, { files: [] })],
  ['ifcfg', (wish: Wish) => ifcfgFiles(wish, [])],
  [
    'ifupdown',
    ({ uplink: _, ...wish }: Wish) => ifupdownFiles(wish, [{ path: '/etc/network/interfaces', content: '' }]),
  ],
])('%s refuses it, names it, and says where all of it is printed', (_name, files) => {
  const wish = { name: 'br0', uplink: 'eth0', ...modelOf(on({ routes: [STATIC] })) };
  expect(() => files(wish)).toThrow(
    expect.objectContaining({
      code: 'QL_PERSIST',
      why: [expect.stringContaining('gone after a reboot'), 'the route 10.7.0.0/16'],
      todo: [expect.stringContaining('bridge persist br0 --persist=none')],
    }),
  );
});

test('the script has the rules of the bridge as well', () => {
  const rule = { ...RULE, row: { ...RULE.row, iif: 'br0' } };
  const own = { ...RULE, row: { priority: 101, src: '192.0.2.5', table: '7' } };
  const strange = { ...own, row: { ...own.row, src: '192.0.2.9' } };
  const now = { ...on({ rules: [rule, own, strange] }), link: 'br0' };
  const script = ipScript({ name: 'br0', ...modelOf(now) }, now);
  expect(script).toContain('ip -4 rule add from all iif br0 priority 100 table 7');
  expect(script).toContain('ip -4 rule add from 192.0.2.5 priority 101 table 7');
  expect(script).not.toContain('192.0.2.9');
});

test('the script asks anew for a lease that has no lifetime: of networkd on the bridge, or of a client that says none', () => {
  const lease = address('10.9.0.100');
  const routes = [
    route({ dst: 'default', gateway: '10.9.0.1', dev: 'br0' }),
    route({ dst: '10.9.0.0/24', dev: 'br0', protocol: 'kernel', prefsrc: lease.local }),
  ];
  const bridge = { ...on({ routes, addresses: [address('192.0.2.5'), lease] }), link: 'br0' };
  const client = { program: 'udhcpc', pid: 7, start: '7', argv: ['udhcpc'], address: lease.local } as const;
  for (const who of [{ leased: lease.local }, { clients: [client] }]) {
    const now = { ...bridge, ...who };
    const script = ipScript({ name: 'br0', uplink: 'eth0', ...modelOf(now) }, now);
    expect(script).toContain('start the DHCP client on br0, not on eth0');
    expect(script).not.toContain('10.9.0');
  }
});

type Wish = Parameters<typeof netplanFiles>[0];
