// needs: bridge, veth
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { differences, EXCLUDED, type Snapshot, snapshot } from '../snapshot.ts';

let directory: string;
const sh = (command: string): string =>
  execFileSync('sh', ['-ec', command], { encoding: 'utf8', cwd: directory });
const look = (): Snapshot => snapshot({ files: [directory] });

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'qlaunch-snapshot-'));
  writeFileSync(join(directory, 'file'), 'one\n', { mode: 0o644 });
  sh('ln -s file link; mkdir sub');
  sh(
    'ip link add sn0 type veth peer name sn1; ip link add snb type bridge; ip link set sn0 up; ip link set sn1 up',
  );
  sh('ip address add 10.99.0.1/24 dev sn0; ip link set sn1 master snb; ip link set snb up');
  // Link-local addresses and their routes come a moment later.
  sh('for i in $(seq 100); do ip -6 address show tentative | grep -q . || exit 0; sleep 0.1; done');
});
afterAll(() => {
  sh('ip link delete sn0; ip link delete snb');
  rmSync(directory, { recursive: true });
});

test('the same host twice is the same', () => {
  expect(differences(look(), look())).toEqual([]);
});

test('every exclusion has its reason', () => {
  for (const { what, why } of EXCLUDED) expect([what.source, why.length > 10]).toEqual([what.source, true]);
});

test.each([
  ['a link', 'ip link add sn9 type bridge', 'ip link delete sn9'],
  ['a name', 'ip link set snb name snc', 'ip link set snc name snb'],
  ['a mark', 'ip link set sn0 alias x', 'ip link set sn0 alias ""'],
  ['an MTU', 'ip link set sn0 mtu 1400', 'ip link set sn0 mtu 1500'],
  [
    'a setting of a bridge',
    'ip link set snb type bridge ageing_time 100',
    'ip link set snb type bridge ageing_time 30000',
  ],
  ['a port', 'ip link set sn1 nomaster', 'ip link set sn1 master snb'],
  ['a setting of a port', 'bridge link set dev sn1 learning off', 'bridge link set dev sn1 learning on'],
  [
    'a forwarding entry',
    'bridge fdb add 02:00:00:00:00:09 dev sn1 master',
    'bridge fdb del 02:00:00:00:00:09 dev sn1 master',
  ],
  ['an address', 'ip address add 10.99.0.2/24 dev sn0', 'ip address del 10.99.0.2/24 dev sn0'],
  [
    'a route in another table',
    'ip route add 10.98.0.0/24 dev sn0 table 77',
    'ip route del 10.98.0.0/24 dev sn0 table 77',
  ],
  ['an IPv6 route', 'ip -6 route add fd99::/64 dev sn0', 'ip -6 route del fd99::/64 dev sn0'],
  ['a rule', 'ip rule add from 10.98.0.1 lookup 77', 'ip rule del from 10.98.0.1 lookup 77'],
  [
    'a permanent neighbour',
    'ip neigh add 10.99.0.9 lladdr 02:00:00:00:00:09 dev sn0',
    'ip neigh del 10.99.0.9 dev sn0',
  ],
  ['a group', 'ip maddr add 33:33:00:00:00:99 dev sn0', 'ip maddr del 33:33:00:00:00:99 dev sn0'],
  ['a queue', 'tc qdisc add dev sn0 root handle 1: htb', 'tc qdisc del dev sn0 root'],
  ['a table', 'nft add table inet sn', 'nft delete table inet sn'],
  [
    'an IPv4 attribute',
    'echo 2 > /proc/sys/net/ipv4/conf/sn0/rp_filter',
    'echo 0 > /proc/sys/net/ipv4/conf/sn0/rp_filter',
  ],
  [
    'an IPv6 attribute',
    'echo 0 > /proc/sys/net/ipv6/conf/sn0/accept_ra',
    'echo 1 > /proc/sys/net/ipv6/conf/sn0/accept_ra',
  ],
  ['content', 'echo two > file', 'echo one > file'],
  ['rights', 'chmod 600 file', 'chmod 644 file'],
  ['a link to a file', 'ln -sfn sub link', 'ln -sfn file link'],
  ['an empty file', ': > new', 'rm new'],
  ['rights of a directory', 'chmod 700 sub', 'chmod 755 sub'],
])('one change is seen: %s', (_what: string, change: string, back: string) => {
  const before = look();
  sh(change);
  const seen = differences(before, look());
  sh(back);
  expect(seen).not.toEqual([]);
});

test('a comment of a table, a rule and an element are seen', () => {
  const seen: number[] = [];
  let before = look();
  for (const change of [
    'add table inet sn { comment "x"; }',
    'add set inet sn s { type ipv4_addr; }',
    'add element inet sn s { 10.0.0.1 }',
    'add chain inet sn c',
    'add rule inet sn c counter accept',
  ]) {
    sh(`nft '${change}'`);
    seen.push(differences(before, look()).length);
    before = look();
  }
  sh('nft delete table inet sn');
  expect(seen.every((count) => count > 0)).toBe(true);
});
