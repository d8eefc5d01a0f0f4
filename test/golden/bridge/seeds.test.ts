/** The commands that people type by hand, each with its line in the README; and what is said there can be typed. */
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { expect, test } from 'vitest';
import { registerBridge } from '../../../src/cli/bridge.ts';

const README = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8');
const SECTION = /^## Host bridges\n([\s\S]*?)^## /m.exec(README)?.[1] ?? '';
const ROWS = SECTION.split('\n')
  .filter((line) => line.startsWith('| '))
  .map((line) => line.split(/(?<!\\) ?\| ?/).slice(1, -1));

test.each([
  ['ip link add br0 type bridge; ip link set br0 up', 'bridge create br0'],
  ['brctl addbr br0', 'bridge create br0'],
  ['ip link set enp3s0f1 master br0', 'bridge create br0 --uplink enp3s0f1'],
  ['brctl addif br0 enp3s0f1', 'bridge create br0 --uplink enp3s0f1'],
  ['`route` and `ping 192.168.1.254`', 'the gateway has to answer'],
  ['ip link set tap1 master br0', 'bridge add-port br0 tap1'],
  ['brctl addif br0 tap1', 'bridge add-port br0 tap1'],
  ['ip link set tap1 nomaster', 'bridge remove-port br0 tap1'],
  ['ip link set enp3s0f1 nomaster; ip link set br0 down; ip link del br0', 'bridge delete br0'],
  ['brctl stp br0 on', 'bridge set br0 --stp on'],
  ['promiscuous mode', 'bridge show'],
  ['forwarding state', 'bridge show'],
  ['nmcli con add type bridge ifname br0', '--persist=networkmanager'],
  ['nmcli con add type ethernet ifname enp3s0f1 master bridge-br0', '--persist=networkmanager'],
  ['nmcli connection down enp3s0f1', '--persist=networkmanager'],
  ['nmcli connection up bridge-br0', '--persist=networkmanager'],
  ['systemctl restart NetworkManager', '--persist=networkmanager'],
  ['ifcfg-br0', '--persist=ifcfg'],
  ['BRIDGE="br0"', '--persist=ifcfg'],
  ['`BOOTPROTO`, `STP`, `DELAY`, `NM_CONTROLLED`, `IPV6INIT`, `IPV6_AUTOCONF`', '--persist=ifcfg'],
  ['service network restart', '--persist=ifcfg'],
  ['systemctl restart network`', '--persist=ifcfg'],
  ['bridge-ports enp3s0f1', '--stp on --persist'],
  ['bridge-stp on', '--stp on --persist'],
  ['post-up iptables -I FORWARD -m physdev --physdev-is-bridged -j ACCEPT', '--physdev'],
  ['ifdown enp3s0f1; ifdown br0; ifup br0', 'the same'],
  ['echo br_netfilter >> /etc/modules-load.d/kvm.conf', '--bridge-nf off'],
  ['net.bridge.bridge-nf-call-iptables = 0', '--bridge-nf off'],
  ['net.ipv4.ip_forward = 1', '--ip-forward on'],
])('%s', (byHand, ours) => {
  const rows = ROWS.filter(([left = '']) => left.includes(byHand));
  expect(rows.map(([, right = '']) => right).filter((right) => right.includes(ours))).not.toEqual([]);
});

test('every option that the README names for bridges is one', () => {
  const program = new Command();
  registerBridge(program, () => undefined);
  const known = (program.commands[0]?.commands ?? []).flatMap(({ options }) =>
    options.map(({ long }) => long ?? ''),
  );
  const named = [...SECTION.matchAll(/(?<![-\w])--[a-z][a-z-]+/g)].map(([option]) => option);
  // Of iptables; of other commands of qlaunch.
  const others = ['--physdev-is-bridged', '--net'];
  expect([...new Set(named)].filter((one) => !known.includes(one) && !others.includes(one))).toEqual([]);
});
