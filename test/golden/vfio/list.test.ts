import { expect, test } from 'vitest';
import { renderList, renderTree } from '../../../src/cli/vfio/list.ts';
import type { VfioFacts } from '../../../src/plan/vfio/facts.ts';
import { rowsOf } from '../../../src/plan/vfio/rows.ts';
import { factsOf, nic } from './look.ts';
import { CHIPSET, DUAL_PORT, ESWITCH, SWITCHDEV, USB_NIC, VMD } from './machines.ts';

const looked = (facts: VfioFacts): Parameters<typeof renderTree>[0] => ({
  facts,
  rows: rowsOf(facts, {
    nameOf: (vendor) => (vendor === '8086' ? 'Intel thing' : undefined),
    ours: new Map(),
  }),
});

test('a card with two ports in one group: each says that it shares it', async () => {
  const facts = await factsOf(DUAL_PORT, {
    links: [nic('enp1s0f0', { flags: ['UP', 'LOWER_UP'] }), nic('enp1s0f1')],
    routes: [{ dst: 'default', gateway: '192.0.2.1', dev: 'enp1s0f0' }],
  });
  expect(`\n${renderList(looked(facts), false)}\n`).toMatchInlineSnapshot(`
    "
    ADDRESS       DEVICE                   DRIVER  GROUP  NETDEV    NOTE
    0000:01:00.0  Intel thing [8086:1521]  igb     14     enp1s0f0  enp1s0f0 (default route); its group has 1 more
    0000:01:00.1  Intel thing [8086:1521]  igb     14     enp1s0f1  its group has 1 more
    "
  `);
});

test('the chipset’s group, with all that hangs on it', async () => {
  const facts = await factsOf(CHIPSET, { links: [nic('eno1')] });
  expect(`\n${renderList(looked(facts), true)}\n`).toMatchInlineSnapshot(`
    "
    ADDRESS       DEVICE                   DRIVER         GROUP  NETDEV  CLASS       NUMA  RESET   NOTE
    0000:00:1f.0  Intel thing [8086:a305]  -              7      -       ISA bridge  -     -       its group has 4 more
    0000:00:1f.3  Intel thing [8086:a348]  snd_hda_intel  7      -       audio       -     pm      its group has 4 more
    0000:00:1f.4  Intel thing [8086:a323]  i801_smbus     7      -       SMBus       -     -       its group has 4 more
    0000:00:1f.5  Intel thing [8086:a352]  ahci           7      -       SATA        -     -       its group has 4 more; sda
    0000:00:1f.6  Intel thing [8086:15bc]  e1000e         7      eno1    NIC         -     flr,pm  its group has 4 more
    "
  `);
});

test('by group: a domain with five digits, and what is in no group', async () => {
  const facts = await factsOf(VMD, { links: [nic('eth7')] });
  expect(`\n${renderTree(looked(facts))}\n`).toMatchInlineSnapshot(`
    "
    group 9 (DMA-FQ)
      0000:00:0e.0  Intel thing [8086:467f]  vmd  -  storage
    group 21 (DMA-FQ)
      10000:e2:00.0  Intel thing [8086:15f3]  igc  eth7  NIC
    no group
      10000:e0:06.0  8086:464d  PCI bridge
      10000:e1:00.0  144d:a80a  NVMe
    "
  `);
});

test('a virtio NIC’s interface is one level deeper; a USB NIC is none of the bus’', async () => {
  const facts = await factsOf(USB_NIC, { links: [nic('enx0011'), nic('eth0')] });
  expect(`\n${renderList(looked(facts), true)}\n`).toMatchInlineSnapshot(`
    "
    ADDRESS       DEVICE                   DRIVER      GROUP  NETDEV  CLASS  NUMA  RESET  NOTE
    0000:00:14.0  Intel thing [8086:a36d]  xhci_hcd    4      -       USB    -     pm     LAN7500
    0000:03:00.0  1af4:1041                virtio-pci  5      eth0    NIC    -     flr
    "
  `);
});

test('virtual functions say whose they are', async () => {
  const facts = await factsOf(SWITCHDEV, { links: [nic('ens1f0np0')] });
  expect(`\n${renderList(looked(facts), false)}\n`).toMatchInlineSnapshot(`
    "
    ADDRESS       DEVICE     DRIVER     GROUP  NETDEV     NOTE
    0000:81:00.0  15b3:101d  mlx5_core  40     ens1f0np0  2 of 8 VFs
    0000:81:00.2  15b3:101e  vfio-pci   41     -          VF 0 of 0000:81:00.0
    0000:81:00.3  15b3:101e  -          42     -          VF 1 of 0000:81:00.0
    "
  `);
});

test('a card that is a switch has the ports of its virtual functions beside its own', async () => {
  const links = ['ens1f0np0', 'ens1f0npf0vf0', 'ens1f0npf0vf1'].map((name) => nic(name));
  const facts = await factsOf(ESWITCH, { links });
  expect(`\n${renderList(looked(facts), false)}\n`).toMatchInlineSnapshot(`
    "
    ADDRESS       DEVICE     DRIVER     GROUP  NETDEV                                 NOTE
    0000:81:00.0  15b3:101d  mlx5_core  40     ens1f0np0,ens1f0npf0vf0,ens1f0npf0vf1  2 of 8 VFs
    0000:81:00.2  15b3:101e  vfio-pci   41     -                                      VF 0 of 0000:81:00.0
    0000:81:00.3  15b3:101e  -          42     -                                      VF 1 of 0000:81:00.0
    "
  `);
});
