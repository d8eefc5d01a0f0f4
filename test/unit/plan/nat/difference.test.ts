import { expect, test } from 'vitest';
import { type DefinedNetwork, isDefined } from '../../../../src/plan/nat/defined.ts';
import { differences, withLive } from '../../../../src/plan/nat/difference.ts';
import { readNetwork } from '../../../../src/spec/nat/read.ts';

const LAB = `<network><name>lab</name><forward mode='nat' dev='eth0'/><bridge name='lab0' stp='off'/>
  <mac address='52:54:00:00:00:01'/><mtu size='1500'/><domain name='lab.test'/>
  <ip address='10.98.0.1' prefix='24'><dhcp><range start='10.98.0.10' end='10.98.0.90'/></dhcp></ip></network>`;

/** With some words of it replaced. */
function lab(...changes: readonly (readonly [string, string])[]): DefinedNetwork {
  const text = changes.reduce((xml, [from, to]) => {
    if (!xml.includes(from)) throw new Error(`not there: ${from}`);
    return xml.replace(from, to);
  }, LAB);
  const { network } = readNetwork(text, 'lab.xml');
  if (!isDefined(network)) throw new Error('not filled in');
  return network;
}

const RATE = "<bandwidth><inbound average='100'/></bandwidth></network>";

/** What waits for a restart, and how it is said. */
const WAITING: readonly (readonly [string, string, string])[] = [
  [" dev='eth0'", " dev='eth1'", 'forward dev (eth0, defined: eth1)'],
  [" dev='eth0'", '', 'forward dev (eth0, defined: none)'],
  ["mode='nat'", "mode='route'", 'forward mode (nat, defined: route)'],
  [
    " dev='eth0'/>",
    " dev='eth0'><nat><port start='1024' end='2048'/></nat></forward>",
    'nat ports (none, defined: 1024-2048)',
  ],
  ["size='1500'", "size='9000'", 'mtu (1500, defined: 9000)'],
  ["stp='off'", "stp='on' delay='2'", 'stp (off, defined: on, delay 2)'],
  ['</network>', "<port isolated='yes'/></network>", 'port isolated (no, defined: yes)'],
  ['</network>', RATE, 'bandwidth inbound (none, defined: 100 kB/s)'],
  ['</network>', "<portgroup name='a'/></network>", 'portgroups'],
  ["prefix='24'", "prefix='25'", 'ip addresses (10.98.0.1/24, defined: 10.98.0.1/25)'],
  ['lab0', 'lab1', 'bridge (lab0, defined: lab1)'],
  ["name='lab.test'", "name='lab.test' register='yes'", 'domain register (no, defined: yes)'],
  ['</network>', "<dns enable='no'/></network>", 'dns (on, defined: off)'],
];

/** What dnsmasq reads alone. */
const LIVE: readonly (readonly [string, string, string])[] = [
  ['</dhcp>', "<host mac='52:54:00:00:00:05' ip='10.98.0.5'/></dhcp>", 'dhcp hosts'],
  [
    "end='10.98.0.90'",
    "end='10.98.0.80'",
    'dhcp ranges (10.98.0.10-10.98.0.90, defined: 10.98.0.10-10.98.0.80)',
  ],
  ['lab.test', 'other.test', 'domain (lab.test, defined: other.test)'],
  ['</network>', "<dns><host ip='10.98.0.5'><hostname>db</hostname></host></dns></network>", 'names'],
];

test('what is another in a definition is named, with what it is and was where that is short', () => {
  expect(differences(lab(), lab(['\n', ' ']))).toEqual([]);
  for (const [from, to, words] of [...WAITING, ...LIVE])
    expect(differences(lab(), lab([from, to])), to).toEqual([words]);
});

test('a running network takes over what dnsmasq reads, and nothing else', () => {
  for (const [from, to] of LIVE)
    expect(differences(withLive(lab(), lab([from, to])), lab([from, to])), to).toEqual([]);
  for (const [from, to, words] of WAITING) {
    const both = lab([from, to], ['10.98.0.90', '10.98.0.80']);
    const waits = differences(withLive(lab(), both), both);
    expect(waits[0], to).toBe(words);
    // Ranges are of their addresses.
    expect(waits.length, to).toBe(words.startsWith('ip addresses') ? 2 : 1);
  }
});
