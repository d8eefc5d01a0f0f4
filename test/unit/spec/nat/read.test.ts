import { expect, test } from 'vitest';
import { QlaunchError } from '../../../../src/errors.ts';
import { formatIp } from '../../../../src/spec/ip.ts';
import { fillIn } from '../../../../src/spec/nat/fill.ts';
import { readNetwork } from '../../../../src/spec/nat/read.ts';

const IP = "<ip address='10.9.0.1' netmask='255.255.255.0'/>";
const network = (inside: string): string => `<network><name>lab</name>${inside}</network>`;

function refusal(text: string): QlaunchError {
  try {
    readNetwork(text, 'x.xml');
  } catch (error) {
    if (error instanceof QlaunchError) return error;
    throw error;
  }
  throw new Error('was taken');
}

test('a forward without a mode is nat, a network without one is isolated', () => {
  expect(readNetwork(network(`<forward/>${IP}`), 'x').network.forward).toEqual({ mode: 'nat' });
  expect(readNetwork(network(IP), 'x').network.forward).toEqual({ mode: 'none' });
});

test('addresses, ranges, static hosts and leases are read', () => {
  const dhcp =
    "<dhcp><range start='10.9.0.10' end='10.9.0.20'><lease expiry='2' unit='hours'/></range>" +
    "<host mac='52:54:00:00:00:01' ip='10.9.0.99' name='web'/></dhcp>";
  const { network: read, warnings } = readNetwork(
    network(`<forward mode='nat' dev='eth1'><nat><port start='2000' end='3000'/></nat></forward>
      <mtu size='9000'/><domain name='lab.example' localOnly='yes'/><dns enable='no'/>
      <ip address='10.9.0.1' prefix='24'>${dhcp}</ip><ip address='10.10.0.1' netmask='255.255.0.0'/>`),
    'x',
  );
  expect(warnings).toEqual([]);
  expect(read).toMatchObject({
    forward: { mode: 'nat', dev: 'eth1', ports: { start: 2000, end: 3000 } },
    mtu: 9000,
    domain: { name: 'lab.example', localOnly: true },
    dns: false,
  });
  const [first, second] = read.ips;
  expect(first?.dhcp?.ranges[0]?.leaseSeconds).toBe(7200);
  expect(first?.dhcp?.hosts).toMatchObject([{ mac: '52:54:00:00:00:01', name: 'web' }]);
  expect(second?.subnet.prefix).toBe(16);
  expect(formatIp(second?.subnet.first ?? { family: 4, value: 0n })).toBe('10.10.0.0');
});

test('every mistake is told at once, each with its path', () => {
  const error = refusal(`<network>
  <name>a/b</name>
  <forward mode='natt'/>
  <bridge name='all'/>
  <mac address='53:00:00:00:00:01'/>
  <ip address='10.9.0.0' netmask='255.0.255.0'/>
  <ip address='10.8.0.1' netmask='255.255.255.0'>
    <dhcp><range start='10.8.0.9' end='10.7.0.9'/><host ip='10.8.0.3'/></dhcp>
  </ip>
  <ip address='10.8.0.2' prefix='24'><dhcp/></ip>
</network>`);
  expect(error).toMatchObject({ code: 'QL_NET_SPEC', exit: 2 });
  const places = error.why.map((line) => line.split(': ').slice(0, 2).join(' '));
  expect(places).toEqual([
    'line 2 network/name',
    'line 5 network/mac/@address',
    'line 3 network/forward/@mode',
    'line 6 network/ip[1]/@netmask',
    'line 8 network/ip[2]/dhcp/range',
    'line 8 network/ip[2]/dhcp/host/@mac',
    'line 10 network/ip[3]',
    'line 10 network/ip[3]',
    'line 4 network/bridge/@name',
  ]);
});

test.each([
  ["<ip family='ipv6' address='10.9.0.1'/>", 'ip/@address: "10.9.0.1" is not an IPv6 address'],
  ["<ip family='ipv4' address='fd00::1' prefix='24'/>", 'ip/@address: "fd00::1" is not an IPv4 address'],
  ["<ip address='fd00::'/>", 'ip/@address: fd00:: is the anycast address of fd00::/64'],
  ["<ip address='fd00::1' prefix='48'/>", 'ip/@prefix: guests find no address in a /48'],
  ["<ip address='fd00::1' prefix='80'/>", 'ip/@prefix: guests find no address in a /80'],
  ["<ip address='fd00::1' netmask='255.0.0.0'/>", 'ip/@netmask: IPv6 has a prefix instead'],
  ["<ip address='fd00::1'><dhcp><range start='fd01::2' end='fd00::9'/></dhcp></ip>", 'dhcp/range: it begins'],
  [
    "<ip address='fd00::1'><dhcp><range start='fd00::2' end='fd01::9'/></dhcp></ip>",
    'range/@end: fd01::9 can',
  ],
  ["<ip address='fd00::1'><dhcp><host id='1:2,3' name='a'/></dhcp></ip>", 'host/@id: "1:2,3" is not a DUID'],
  ["<ip address='10.9.0.1' prefix='24'><dhcp><host id='0:3:0:1:5' name='a'/></dhcp></ip>", 'host/@id: only'],
  ["<ip address='fd00::1'><dhcp/></ip><ip address='fd01::1'><dhcp/></ip>", 'ip[2]: only one IPv6 subnet'],
  ["<ip address='fd00::1'/><ip address='fd00::2'/>", 'ip[2]: fd00::/64 overlaps fd00::/64'],
  [
    "<ip address='10.9.0.1' prefix='20' localPtr='yes'/>",
    'ip/@localPtr: there is no zone of names for a /20',
  ],
  ["<bandwidth><inbound peak='9'/></bandwidth>", 'bandwidth/inbound/@average: is missing'],
  ["<bandwidth><outbound average='9' peak='8'/></bandwidth>", 'bandwidth/outbound/@peak: 8 is below'],
  ["<portgroup name='a'/><portgroup name='a'/>", 'portgroup[2]/@name: there is another'],
  [
    "<portgroup default='yes' name='a'/><portgroup name='b' default='yes'/>",
    'portgroup[2]/@default: only one',
  ],
  ["<forward mode='bridge'/>", 'bridge/@name: is missing'],
  ["<forward mode='bridge'/><bridge name='br0'/><ip address='10.9.0.1' prefix='24'/>", 'ip: forward mode'],
  ["<forward mode='hostdev'/>", 'forward/@mode: "hostdev" must be'],
  ['<dns><forwarder/></dns>', 'dns/forwarder: has neither'],
  ["<dns><srv protocol='tcp'/></dns>", 'dns/srv/@service: is missing'],
  ["<dns><host ip='10.9.0.9'/></dns>", 'dns/host/hostname: is missing'],
  [`${IP}<route address='10.7.0.0' prefix='16' gateway='10.8.0.1'/>`, 'route/@gateway: 10.8.0.1 is no guest'],
  [`${IP}<route address='10.9.0.0' prefix='16' gateway='10.9.0.2'/>`, 'route/@address: 10.9.0.0/16 overlaps'],
  [`${IP}<route address='10.7.0.0' prefix='0' gateway='10.9.0.2'/>`, 'route/@prefix: "0" must be'],
])('%s is refused', (inside, why) => {
  expect(refusal(network(inside)).why).toEqual([
    expect.stringContaining(
      `line 1: network/${why}`
        .replace('network/dhcp', 'network/ip/dhcp')
        .replace('network/range', 'network/ip/dhcp/range')
        .replace('network/host', 'network/ip/dhcp/host'),
    ),
  ]);
});

test('portgroups: VLAN, trunk with a native one, rates, isolation', () => {
  const { network: read, warnings } = readNetwork(
    network(`${IP}<portgroup name='office' default='yes'><vlan><tag id='7'/></vlan></portgroup>
      <portgroup name='lab'><vlan><tag id='8' nativeMode='untagged'/><tag id='9'/></vlan><port isolated='yes'/>
      <bandwidth><inbound average='1000'/></bandwidth></portgroup><portgroup name='plain'/>`),
    'x',
  );
  expect(warnings).toEqual([]);
  expect(read.portgroups).toEqual([
    { name: 'office', isDefault: true, vlan: 7 },
    { name: 'lab', isolated: true, vlan: 8, trunk: [{ from: 9, to: 9 }], rate: { toGuest: 8_000_000 } },
    { name: 'plain' },
  ]);
});

test('what is not known is named, and survives', () => {
  const text =
    network(`${IP}<portgroup name='x'><virtualport/><vlan><tag id='7'/></vlan></portgroup><bridge macTableManager='libvirt' zone='lab'/>
    <ip address='10.8.0.1' prefix='24'><x/></ip><!-- mine -->`);
  const { warnings, document } = readNetwork(text, 'x');
  expect(warnings).toEqual([
    'line 1: network/portgroup/virtualport has no effect here; it is kept',
    'line 1: network/bridge/@macTableManager has no effect here; it is kept',
    'line 2: network/ip[2]/x has no effect here; it is kept',
  ]);
  const kept = fillIn(document, { uuid: 'u', mac: 'm', bridge: 'b' });
  for (const part of ['<tag id="7"/>', 'zone="lab"', '<x/>', '<!-- mine -->']) expect(kept).toContain(part);
});

test.each([
  ['a newline into dnsmasq', "<domain name='a&#10;server=8.8.8.8'/>"],
  ['nft syntax', `<bridge name='br"; drop'/>`],
  ['nft syntax in the uplink', `<forward dev='e"}'/>`],
  ['a list of interfaces', "<bridge name='br0,eth0'/>"],
  ['a wildcard', "<bridge name='br*'/>"],
  ['an option as a zone', "<bridge zone='--x'/>"],
  [
    'options behind a host name',
    "<ip address='10.9.0.1' prefix='24'><dhcp><host mac='52:54:00:00:00:01' name='a,b'/></dhcp></ip>",
  ],
  ['a newline into a record', "<dns><txt name='a' value='x&#10;dhcp-script=/tmp/x'/></dns>"],
  ['a separator of Unicode', "<dns><txt name='a' value='x&#x2028;y'/></dns>"],
  ['options behind a name', "<dns><host ip='10.9.0.2'><hostname>a,10.0.0.1</hostname></host></dns>"],
  ['options behind a service', "<dns><srv service='a,b' protocol='tcp'/></dns>"],
  ['a newline into a directory', "<ip address='10.9.0.1' prefix='24'><tftp root='/srv&#10;user=root'/></ip>"],
  ['a directory above', "<ip address='10.9.0.1' prefix='24'><tftp root='/srv/../etc'/></ip>"],
  ['options behind a boot file', "<ip address='10.9.0.1' prefix='24'><dhcp><bootp file='a,b'/></dhcp></ip>"],
  ...[
    'dhcp-script=/tmp/x',
    'conf-file=/tmp/x',
    'user=root',
    'log-facility=/etc/x',
    'no-hosts&#10;user=root',
  ].map((line): [string, string] => [
    `dnsmasq's ${line}`,
    `<dnsmasq:options xmlns:dnsmasq='x'><dnsmasq:option value='${line}'/></dnsmasq:options>`,
  ]),
])('hostile: %s is refused', (_what, inside) => {
  expect(refusal(network(inside)).code).toBe('QL_NET_SPEC');
});

test.each([
  ['entities', '<!DOCTYPE network [<!ENTITY a "aaaa">]><network><name>&a;</name></network>'],
  ['undeclared entities', '<network><name>&a;</name></network>'],
  ['10 MB', `<network><name>${'a'.repeat(10_000_000)}</name></network>`],
  ['nesting', `<network>${'<a>'.repeat(100_000)}`],
  ['nesting behind a ">" in a value', `<network>${"<a b='>/>'>".repeat(50_000)}`],
  ['no XML', 'hello'],
  ['nothing', ''],
  ['two roots', '<network/><network/>'],
  ['an open end', '<network><name>x</name>'],
  ['a domain of libvirt', '<domain><name>x</name></domain>'],
])('hostile: %s is refused', (_what, text) => {
  expect(refusal(text)).toMatchObject({ code: 'QL_NET_XML', exit: 2 });
});
