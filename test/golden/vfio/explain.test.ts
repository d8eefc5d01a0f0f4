import { expect, test } from 'vitest';
import { explain, renderExplained } from '../../../src/plan/vfio/explain.ts';
import { selectOne } from '../../../src/plan/vfio/select.ts';
import { isProblem } from '../../../src/spec/raw.ts';
import { parseSelector } from '../../../src/spec/vfio/selector.ts';
import { factsOf, type Network, nic } from './look.ts';
import { CHIPSET, DUAL_PORT, ESWITCH, SWITCHDEV, USB_NIC, VMD } from './machines.ts';

async function explained(machine: string, selector: string, network: Network): Promise<string> {
  const facts = await factsOf(machine, network);
  const parsed = parseSelector(selector, 'SEL');
  if (isProblem(parsed)) throw new Error(parsed.what);
  return `\n${renderExplained(explain(selectOne(parsed, facts), facts))}\n`;
}

test('the port beside it carries the default route through a bond and a VLAN, and your SSH session', async () => {
  const text = await explained(DUAL_PORT, 'enp1s0f1', {
    links: [
      nic('enp1s0f0', { master: 'bond0', flags: ['UP'] }),
      nic('enp1s0f1'),
      nic('bond0', { linkinfo: { info_kind: 'bond' } }),
      nic('bond0.7', { link: 'bond0', linkinfo: { info_kind: 'vlan' } }),
    ],
    routes: [{ dst: 'default', gateway: '192.0.2.1', dev: 'bond0.7' }],
    routeTo: { '198.51.100.7': { dst: '198.51.100.7', dev: 'bond0.7' } },
    env: { SSH_CONNECTION: '198.51.100.7 4022 192.0.2.9 22' },
  });
  expect(text).toMatchInlineSnapshot(`
    "
    0000:01:00.1 8086:1521 (igb, enp1s0f1)
    IOMMU group 14:
      0000:01:00.0 8086:1521 (igb, enp1s0f0): has the driver igb: must go along (--group)
      0000:01:00.1 8086:1521 (igb, enp1s0f1): the device itself
    Checks:
      0000:01:00.1 group (refused): IOMMU group 14 has other devices that the host uses: 0000:01:00.0 8086:1521 (igb, enp1s0f0)
        try: sudo qlaunch vfio bind 0000:01:00.1 --group   # takes them all
        try: or put the card into another slot
      0000:01:00.0 control-path (refused unless --force=control-path): the host would lose its network: 0000:01:00.0 → enp1s0f0 → bond0 → bond0.7 (default route, your SSH session)
        try: take another NIC, or move these to another one first
    Can it be bound: with --group and --force=control-path
    QEMU would say: vfio 0000:01:00.1: failed to open /dev/vfio/14: No such file or directory   (until it is bound)
    "
  `);
});

test('the chipset’s NIC would take the root disk along', async () => {
  expect(await explained(CHIPSET, '0000:00:1f.6', { links: [nic('eno1')] })).toMatchInlineSnapshot(`
    "
    0000:00:1f.6 8086:15bc (e1000e, eno1)
    IOMMU group 7:
      0000:00:1f.0 8086:a305 (no driver): a bridge: stays where it is
      0000:00:1f.3 8086:a348 (snd_hda_intel): has the driver snd_hda_intel: must go along (--group)
      0000:00:1f.4 8086:a323 (i801_smbus): has the driver i801_smbus: must go along (--group)
      0000:00:1f.5 8086:a352 (ahci, sda): has the driver ahci: must go along (--group)
      0000:00:1f.6 8086:15bc (e1000e, eno1): the device itself
    Checks:
      0000:00:1f.6 group (refused): IOMMU group 7 has other devices that the host uses: 0000:00:1f.3 8086:a348 (snd_hda_intel); 0000:00:1f.4 8086:a323 (i801_smbus); 0000:00:1f.5 8086:a352 (ahci, sda)
        try: sudo qlaunch vfio bind 0000:00:1f.6 --group   # takes them all
        try: or put the card into another slot
      0000:00:1f.6 rmrr (refused unless --force=rmrr): the firmware keeps memory of group 7 for itself (RMRR): attaching it is going to fail with EPERM
        try: a setting of the firmware, or another slot
        try: cat /sys/kernel/iommu_groups/7/reserved_regions
      0000:00:1f.4 system (refused): it is a part of the machine itself (host or ISA bridge, SMBus, IOMMU)
        try: qlaunch vfio list
      0000:00:1f.5 root-disk (refused): the disk sda is in use: sda1 is mounted on /
      0000:00:1f.4 reset (told): it cannot be reset: what one guest leaves in it the next one finds, and a second start may fail
      0000:00:1f.5 reset (told): it cannot be reset: what one guest leaves in it the next one finds, and a second start may fail
    Can it be bound: no
    QEMU would say: vfio 0000:00:1f.6: failed to open /dev/vfio/7: No such file or directory   (until it is bound)
    "
  `);
});

test('the chipset itself is no bridge that something is behind', async () => {
  expect(await explained(CHIPSET, '0000:00:1f.0', { links: [nic('eno1')] })).toContain(
    'system (refused): it is a part of the machine itself',
  );
});

test('behind VMD there is no group', async () => {
  expect(await explained(VMD, '10000:e1:00.0', { links: [] })).toMatchInlineSnapshot(`
    "
    10000:e1:00.0 144d:a80a (nvme)
    in no IOMMU group
    Checks:
      10000:e1:00.0 no-group (refused): it is in no IOMMU group: the IOMMU does not cover it
        try: another slot
    Can it be bound: no
    QEMU would say: vfio 10000:e1:00.0: no iommu_group found: No such file or directory
    "
  `);
});

test('a USB controller and what is plugged into it', async () => {
  const links = [nic('enx0011'), nic('eth0')];
  expect(await explained(USB_NIC, '00:14.0', { links })).toMatchInlineSnapshot(`
    "
    0000:00:14.0 8086:a36d (xhci_hcd)
    IOMMU group 4:
      0000:00:14.0 8086:a36d (xhci_hcd): the device itself
    Checks:
      0000:00:14.0 usb (refused unless --force=usb): these hang on this USB controller: LAN7500
    Can it be bound: with --force=usb
    QEMU would say: vfio 0000:00:14.0: failed to open /dev/vfio/4: No such file or directory   (until it is bound)
    "
  `);
});

test('a physical function with virtual ones', async () => {
  expect(await explained(SWITCHDEV, 'ens1f0np0', { links: [nic('ens1f0np0')] })).toMatchInlineSnapshot(`
    "
    0000:81:00.0 15b3:101d (mlx5_core, ens1f0np0)
    IOMMU group 40:
      0000:81:00.0 15b3:101d (mlx5_core, ens1f0np0): the device itself
    Checks:
      0000:81:00.0 vfs (refused): it has 2 virtual functions, which would all go away: 0000:81:00.2, 0000:81:00.3
        try: qlaunch IMAGE --net vf:0000:81:00.0   # give the guest one of them
        try: sudo qlaunch vfio vf release 0000:81:00.0
    Can it be bound: no
    QEMU would say: vfio 0000:81:00.0: failed to open /dev/vfio/40: No such file or directory   (until it is bound)
    "
  `);
});

test('without an IOMMU it is said which of the two is missing', async () => {
  const off = DUAL_PORT.replace('iommu DMAR', '').replaceAll(/ group=\d+/g, '');
  expect(await explained(off, '01:00.0', { links: [nic('enp1s0f0')] })).toMatchInlineSnapshot(`
    "
    0000:01:00.0 8086:1521 (igb, enp1s0f0)
    in no IOMMU group
    Checks:
      host no-iommu (refused): no IOMMU is at work: nothing would keep the device from reading all memory of the host
        try: the firmware offers none: switch on VT-d (Intel) or AMD-Vi/IOMMU (AMD) in its setup
        try: ls /sys/class/iommu   # is not empty then
    Can it be bound: no
    QEMU would say: vfio 0000:01:00.0: no iommu_group found: No such file or directory
    "
  `);
});

test('a port of a card’s own switch is never taken for the card', async () => {
  const links = ['ens1f0np0', 'ens1f0npf0vf0', 'ens1f0npf0vf1'].map((name) => nic(name));
  await expect(explained(ESWITCH, 'ens1f0npf0vf1', { links })).rejects.toMatchObject({
    code: 'QL_NOT_PCI',
    why: ['it stands for virtual function 1 of 0000:81:00.0 on the card’s own switch'],
  });
  expect(await explained(ESWITCH, 'ens1f0np0/vf1', { links })).toContain('Can it be bound: yes');
});
