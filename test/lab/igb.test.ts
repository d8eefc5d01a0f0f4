// lab: 10.x
// needs: iommu, modules
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

test('the lab under QEMU 10.x has a NIC whose virtual functions each sit in a group of their own', () => {
  const nic = readdirSync('/sys/class/net').find((name) => addressOf(name) === '52:54:00:00:00:61');
  const pf = `/sys/class/net/${nic}/device`;
  expect(readFileSync(`${pf}/sriov_totalvfs`, 'utf8').trim()).toBe('7');
  writeFileSync(`${pf}/sriov_numvfs`, '2');
  onTestFinished(() => writeFileSync(`${pf}/sriov_numvfs`, '0'));
  const groups = ['virtfn0', 'virtfn1'].map((vf) => basename(readlinkSync(`${pf}/${vf}/iommu_group`)));
  for (const group of groups) {
    expect(readdirSync(`/sys/kernel/iommu_groups/${group}/devices`)).toHaveLength(1);
  }
  expect(new Set(groups).size).toBe(2);
});

function addressOf(name: string): string {
  return name === 'bonding_masters' ? '' : readFileSync(`/sys/class/net/${name}/address`, 'utf8').trim();
}
