// needs: bridge, vlan_filtering, 8021q, bond, dummy, isolated, netem, vrf, act_csum, matchall, modules, iommu
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

const ip = (...args: string[]): string => execFileSync('ip', args, { encoding: 'utf8' });
const removeAfterwards = (...links: string[]): void => {
  onTestFinished(() => {
    for (const link of links) ip('link', 'delete', link);
  });
};

test('the lab runs its own kernel on the files of the host, and writes there stay in the lab', () => {
  expect(readFileSync('/proc/version', 'utf8')).toContain('debian-kernel@lists.debian.org');
  expect(execFileSync('findmnt', ['-n', '-o', 'FSTYPE', '/'], { encoding: 'utf8' }).trim()).toBe('overlay');
  writeFileSync('/qlaunch-lab', 'only here');
  expect(readFileSync('/qlaunch-lab', 'utf8')).toBe('only here');
});

test('a bridge filters VLANs, and an 8021q device carries one', () => {
  ip('link', 'add', 'br0', 'type', 'bridge', 'vlan_filtering', '1', 'vlan_default_pvid', '0');
  ip('link', 'add', 'd0', 'type', 'dummy');
  removeAfterwards('br0', 'd0');
  ip('link', 'set', 'd0', 'master', 'br0');
  execFileSync('bridge', ['vlan', 'add', 'vid', '10', 'dev', 'd0', 'pvid', 'untagged']);
  const vlans = JSON.parse(execFileSync('bridge', ['-j', 'vlan', 'show', 'dev', 'd0'], { encoding: 'utf8' }));
  expect(vlans).toEqual([{ ifname: 'd0', vlans: [{ vlan: 10, flags: ['PVID', 'Egress Untagged'] }] }]);
  ip('link', 'add', 'link', 'br0', 'name', 'br0.20', 'type', 'vlan', 'id', '20');
  expect(ip('-d', 'link', 'show', 'br0.20')).toContain('vlan protocol 802.1Q id 20');
});

test('a bond takes a dummy as its port', () => {
  ip('link', 'add', 'bond7', 'type', 'bond', 'mode', 'active-backup', 'miimon', '100');
  ip('link', 'add', 'd1', 'type', 'dummy');
  removeAfterwards('bond7', 'd1');
  ip('link', 'set', 'd1', 'master', 'bond7');
  expect(readFileSync('/sys/class/net/bond7/bonding/slaves', 'utf8').trim()).toBe('d1');
});

test.each([
  {
    what: 'an e1000e behind a root port is alone in its group',
    mac: '52:54:00:00:00:11',
    members: ['8086:10d3'],
  },
  {
    what: 'two functions behind a port without ACS share a group with the port',
    mac: '52:54:00:00:00:21',
    members: ['1b36:000c', '8086:10d3', '8086:10d3'],
  },
  {
    what: 'everything behind a conventional PCI bridge is one group',
    mac: '52:54:00:00:00:41',
    members: ['1b36:000e', '8086:100e', '8086:100e'],
  },
])('IOMMU groups: $what', ({ mac, members }) => {
  expect(groupOf(mac)).toEqual(members);
});

/** vendor:device of all members of the IOMMU group that the NIC with this MAC belongs to, sorted. */
function groupOf(mac: string): string[] {
  const nic = readdirSync('/sys/class/net').find((name) => addressOf(name) === mac);
  const device = `/sys/class/net/${nic}/device`;
  const group = basename(readlinkSync(`${device}/iommu_group`));
  const members = readdirSync(`/sys/kernel/iommu_groups/${group}/devices`);
  return members
    .map((bdf) => ['vendor', 'device'].map((file) => hex(`/sys/bus/pci/devices/${bdf}/${file}`)).join(':'))
    .sort();
}

function addressOf(name: string): string {
  return name === 'bonding_masters' ? '' : readFileSync(`/sys/class/net/${name}/address`, 'utf8').trim();
}

function hex(path: string): string {
  return readFileSync(path, 'utf8').trim().replace('0x', '');
}
