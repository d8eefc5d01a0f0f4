/** Definition in, steps out; nft and dnsmasq accept what they are given. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { defaultXml } from '../../../src/plan/nat/default.ts';
import { isDefined } from '../../../src/plan/nat/defined.ts';
import { dnsmasqConf } from '../../../src/plan/nat/dnsmasq.ts';
import type { NatFacts, RouteFact } from '../../../src/plan/nat/facts.ts';
import { iptablesSteps } from '../../../src/plan/nat/iptables.ts';
import { onThisHost } from '../../../src/plan/nat/ipv6.ts';
import { neighbourNotes } from '../../../src/plan/nat/neighbours.ts';
import { renderTable } from '../../../src/plan/nat/nft.ts';
import { planNetwork } from '../../../src/plan/nat/start.ts';
import { renderPlan } from '../../../src/plan/render.ts';
import { parseCidr } from '../../../src/spec/cidr.ts';
import { fillIn } from '../../../src/spec/nat/fill.ts';
import { readNetwork } from '../../../src/spec/nat/read.ts';
import { isProblem } from '../../../src/spec/raw.ts';

const DIR = '/run/qlaunch/net';
const pathsOf = (name: string) =>
  ({
    conf: `${DIR}/${name}.conf`,
    pid: `${DIR}/${name}.pid`,
    leases: `/var/lib/qlaunch/net/${name}.leases`,
    hosts: `/run/qlaunch/net/${name}.hosts`,
    status: `${DIR}/${name}.json`,
    dir: DIR,
  }) as const;

const facts: NatFacts = {
  links: [],
  token: '0123456789ab',
  routes: [],
  ipv6: true,
  resolvConf: true,
  advertised: ['eth0'],
};

function defined(text: string) {
  const { document } = readNetwork(text, 'x.xml');
  const filling = { uuid: '11111111-2222-3333-4444-555555555555', mac: '52:54:00:aa:bb:cc', bridge: 'qbr7' };
  const { network } = readNetwork(fillIn(document, filling), 'x.xml');
  if (!isDefined(network)) throw new Error('not filled in');
  return network;
}

const seed = (name: string): string =>
  readFileSync(new URL(`definitions/${name}.xml`, import.meta.url), 'utf8');

const EVERYTHING = `<network><name>lab-1.x</name>
  <forward mode='nat' dev='eth0.7'><nat><address start='198.51.100.2' end='198.51.100.4'/><port start='500' end='900'/></nat></forward>
  <bridge name='lab0' stp='off'/><mtu size='9000'/><domain name='lab.example' localOnly='yes'/>
  <ip address='10.9.0.1' prefix='24'><dhcp>
    <range start='10.9.0.10' end='10.9.0.20'><lease expiry='0'/></range><range start='10.9.0.30' end='10.9.0.40'/>
    <host mac='52:54:00:00:00:01' ip='10.9.0.99' name='web'/></dhcp></ip>
  <ip address='10.10.0.1' netmask='255.255.0.0'/></network>`;

/** Of two prefixes one is routed to us, the other is nobody's business outside. */
const DUAL = `<network><name>dual</name>
  <forward mode='nat'><nat><address start='fd00:a::1' end='fd00:a::4'/></nat></forward><mtu size='1400'/>
  <ip address='10.9.0.1' prefix='24'/>
  <ip family='ipv6' address='fd12:3456:789a::1' prefix='64'><dhcp>
    <range start='fd12:3456:789a::100' end='fd12:3456:789a::1ff'><lease expiry='30'/></range>
    <host id='0:3:0:1:52:54:0:0:0:1' name='web' ip='fd12:3456:789a::10'/>
    <host mac='52:54:00:00:00:02' ip='fd12:3456:789a::11'><lease expiry='0'/></host></dhcp></ip>
  <ip family='ipv6' address='2001:db8:5::1'/></network>`;

const NAMES = `<network xmlns:dnsmasq='http://libvirt.org/schemas/network/dnsmasq/1.0'><name>names</name><forward/>
  <domain name='lab.example' localOnly='yes'/>
  <dns forwardPlainNames='no'>
    <forwarder domain='corp.example' addr='10.1.1.1'/><forwarder domain='open.example'/><forwarder addr='2001:db8::53'/>
    <host ip='10.9.0.5'><hostname>gw</hostname><hostname>www.other.example</hostname></host>
    <host ip='fd00::5'><hostname>gw</hostname></host>
    <txt name='_dmarc.lab.example' value='v=DMARC1; p=none, "x" \\ # y'/>
    <srv service='ldap' protocol='tcp' target='gw.lab.example' port='389' priority='1' weight='2'/>
    <srv service='kerberos' protocol='udp' domain='lab.example'/>
  </dns>
  <ip address='10.9.0.1' prefix='16' localPtr='yes'><tftp root='/srv/tftp'/><dhcp>
    <range start='10.9.0.10' end='10.9.0.20'/><host name='byname' ip='10.9.0.30'/>
    <bootp file='pxelinux.0' server='10.9.0.2'/></dhcp></ip>
  <ip family='ipv6' address='fd00::1' prefix='64' localPtr='yes'/>
  <route address='10.50.0.0' netmask='255.255.0.0' gateway='10.9.0.40' metric='7'/>
  <route family='ipv6' address='fd50::' prefix='48' gateway='fd00::40'/>
  <dnsmasq:options><dnsmasq:option value='dhcp-option=42,10.9.0.1'/><dnsmasq:option value='log-queries'/></dnsmasq:options>
</network>`;

const SLOW = (
  mode: string,
): string => `<network><name>slow</name><forward mode='${mode}'/><port isolated='yes'/>
  <bandwidth><inbound average='1000' peak='5000' burst='1024'/><outbound average='128' burst='256'/></bandwidth>
  <ip address='10.9.0.1' prefix='24'/></network>`;

const CASES: Readonly<Record<string, string>> = {
  slow: SLOW('nat'),
  'slow-open': SLOW('open'),
  names: NAMES,
  dual: DUAL,
  alone6: "<network><name>alone6</name><dns enable='no'/><ip family='ipv6' address='fd00::1'/></network>",
  routed6: `<network><name>routed6</name><forward><nat ipv6='no'/></forward>
    <ip family='ipv6' address='fd00::1' prefix='96'><dhcp><range start='fd00::2' end='fd00::9'/></dhcp></ip></network>`,
  plain: seed('plain'),
  default: seed('default'),
  br10: seed('br10'),
  everything: EVERYTHING,
  isolated:
    "<network><name>alone</name><ip address='10.9.0.1' prefix='24'><dhcp><range start='10.9.0.2' end='10.9.0.9'/></dhcp></ip></network>",
  routed: "<network><name>routed</name><forward mode='route'/><ip address='10.9.0.1' prefix='24'/></network>",
  open: "<network><name>open</name><forward mode='open'/><dns enable='no'/><ip address='10.9.0.1' prefix='24'/></network>",
};

test.each(Object.keys(CASES))('%s: the steps', async (name) => {
  const network = defined(CASES[name] ?? '');
  const { steps } = planNetwork(network, pathsOf(network.name), facts);
  await expect(renderPlan({ steps })).toMatchFileSnapshot(`plans/${name}.sh`);
});

test.each(Object.keys(CASES))('%s: nft takes the table, dnsmasq its configuration', (name) => {
  const network = defined(CASES[name] ?? '');
  if (network.forward.mode !== 'open') {
    const table = renderTable(network, 'qlaunch:net/x:0123456789ab');
    execFileSync('unshare', ['-rn', 'nft', '-c', '-f', '-'], { input: table });
  }
  const conf = dnsmasqConf(network, pathsOf(network.name), false);
  execFileSync('dnsmasq', ['--test', '--conf-file=-'], { input: conf, stdio: ['pipe', 'ignore', 'ignore'] });
});

test.each(['plain', 'default', 'br10', 'everything', 'dual', 'isolated'])('%s: by iptables', async (name) => {
  const network = defined(CASES[name] ?? '');
  const steps = iptablesSteps(network, 'qlaunch:net/x:0123456789ab', { 4: '', 6: '' });
  await expect(renderPlan({ steps })).toMatchFileSnapshot(`iptables/${name}.sh`);
  expect(steps.flatMap(({ undo }) => ('run' in undo ? undo.run.slice(-2) : []))).toEqual(
    (name === 'dual' ? ['iptables', 'ip6tables'] : ['iptables']).flatMap((one) => [one, 'ql-0123456789ab']),
  );
  // Each takes effect wholly or not at all: what is refused has left nothing that no journal knows.
  const tables = steps.map(({ do: action }) => ('stdin' in action ? action.stdin?.match(/^\*/gm) : []));
  expect(tables).toEqual(steps.map(() => ['*']));
});

test('what iptables can not is refused, with what can', () => {
  const plan = () => planNetwork(defined(SLOW('nat')), pathsOf('slow'), { ...facts, iptables: {} });
  expect(plan).toThrow(
    expect.objectContaining({
      code: 'QL_TOOL_MISSING',
      todo: expect.arrayContaining([expect.stringContaining('apt install nftables')]),
    }),
  );
});

test.each([
  ['the kernel has none', { ipv6: false }, 'this kernel has no IPv6'],
  ['it is off', { ipv6Off: 'net.ipv6.conf.all.disable_ipv6 is 1' }, 'net.ipv6.conf.all.disable_ipv6 is 1'],
] as const)('without IPv6, since %s, a network has the rest, and that is said', (_why, without, why) => {
  const host = { ...facts, ...without };
  expect(onThisHost(defined(DUAL), host).notes).toEqual([`the network dual has no IPv6 here: ${why}`]);
  const text = renderPlan(planNetwork(defined(DUAL), pathsOf('dual'), host));
  expect(text).not.toMatch(/fd12|ip6|enable-ra|ipv6\/conf\/all/);
  expect(text).toContain('address add 10.9.0.1/24');
  expect(() => planNetwork(defined(CASES['alone6'] ?? ''), pathsOf('alone6'), host)).toThrow(
    expect.objectContaining({ code: 'QL_NET_IPV6', why: [why] }),
  );
});

test('the built-in network has a prefix of this host’s own, the same every time, and another where a route is in the way', () => {
  const prefixOf = (seed: string, routes: readonly RouteFact[] = []): string =>
    /ipv6" address="(fd[0-9a-f:]+)::1" prefix="64"/.exec(
      defaultXml({ ...facts, routes }, false, seed),
    )?.[1] ?? '';
  const prefix = prefixOf('a');
  expect([prefixOf('a'), prefixOf('b') === prefix]).toEqual([prefix, false]);
  const to = parseCidr(`${prefix}::/48`, 'test');
  if (isProblem(to)) throw new Error(prefix);
  expect(prefixOf('a', [{ to, table: 'main' }])).not.toBe(prefix);
  expect(readNetwork(defaultXml(facts, false, 'a'), 'x').warnings).toEqual([]);
});

test('names are registered where somebody keeps them, without a circle; elsewhere that is said', () => {
  const network = defined(
    `<network><name>lab</name><forward/><domain name='lab.example' register='yes'/>
    <ip address='10.9.0.1' prefix='24'/><ip family='ipv6' address='fd00::1'/></network>`,
  );
  const text = renderPlan(planNetwork(network, pathsOf('lab'), { ...facts, resolved: true }));
  expect(text.match(/^resolvectl .*/gm)).toEqual([
    'resolvectl dns qbr7 10.9.0.1 fd00::1',
    "resolvectl domain qbr7 '~lab.example'",
    'resolvectl default-route qbr7 no',
  ]);
  expect(text).toContain('local=/lab.example/');
  expect(renderPlan(planNetwork(network, pathsOf('lab'), facts))).not.toContain('resolvectl');
  expect(neighbourNotes(network, facts)).toEqual([expect.stringContaining('systemd-resolved does not run')]);
});

test.each([
  [
    'tc',
    /tc qdisc replace dev virbr0 clsact[\s\S]*tc filter add dev virbr0 egress .* action csum ip and udp\n/,
  ],
  ['iptables', /iptables -w -t mangle -A POSTROUTING -o virbr0 .* -j CHECKSUM --checksum-fill\n/],
] as const)('the checksum of DHCP answers is completed by %s, before the bridge is up', (checksum, words) => {
  const network = defined(seed('default'));
  const text = renderPlan(planNetwork(network, pathsOf('default'), { ...facts, checksum }));
  expect(text).toMatch(words);
  expect(text.search(words)).toBeLessThan(text.indexOf('link set dev virbr0 up'));
  const silent = { ...network, ips: network.ips.map(({ dhcp: _none, ...ip }) => ip) };
  expect(renderPlan(planNetwork(silent, pathsOf('default'), { ...facts, checksum }))).not.toMatch(words);
});

test('a host without name servers has none to ask', () => {
  const conf = (resolvConf: boolean): string =>
    dnsmasqConf(defined(seed('default')), pathsOf('default'), resolvConf);
  expect([conf(false), conf(true)].map((text) => text.includes('\nno-resolv\n'))).toEqual([true, false]);
});

test.each(['192.168.122.0/24', '192.168.0.0/16', '192.168.122.128/25', '192.168.122.7/32'])(
  'a route to %s is in the way, and a free subnet is named',
  (text) => {
    const to = parseCidr(text, 'test');
    if (isProblem(to)) throw new Error(text);
    const routes: readonly RouteFact[] = [{ to, dev: 'tun0', table: '100' }];
    const network = defined(seed('default'));
    expect(() => planNetwork(network, pathsOf('default'), { ...facts, routes })).toThrow(
      expect.objectContaining({
        code: 'QL_SUBNET_TAKEN',
        why: [`this host reaches ${text} on tun0 (table 100) elsewhere`],
        todo: [expect.stringContaining(text === '192.168.0.0/16' ? '10.1.122.0/24' : '192.168.123.0/24')],
      }),
    );
  },
);
