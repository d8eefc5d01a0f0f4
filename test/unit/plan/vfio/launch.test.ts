import { expect, test } from 'vitest';
import { renderPlan } from '../../../../src/plan/render.ts';
import type { VfioFacts } from '../../../../src/plan/vfio/facts.ts';
import { chooseDevices, type LaunchChoice, type PassedNet } from '../../../../src/plan/vfio/launch.ts';
import { planVfs } from '../../../../src/plan/vfio/vf.ts';
import { factsOf, type Network, nic } from '../../../golden/vfio/look.ts';
import { DUAL_PORT, ESWITCH, SWITCHDEV, USB_NIC } from '../../../golden/vfio/machines.ts';

const PF = 'ens1f0np0';
const LINKS = [
  nic(PF, {
    flags: ['UP'],
    vfinfo_list: [
      { vf: 0, address: '02:00:00:00:00:a0', vlan_list: [{}], spoofchk: true, trust: false },
      { vf: 1, address: '02:00:00:00:00:a1', vlan_list: [{ vlan: 5 }], spoofchk: true, trust: false },
    ],
  }),
  nic('enp1s0f0'),
  nic('enp1s0f1'),
];

interface Wish {
  readonly nets: readonly Partial<PassedNet>[];
  readonly leased?: readonly string[];
  readonly pins?: Readonly<Record<string, string>>;
  readonly machine?: string;
  readonly network?: Network;
}

async function choose({
  nets,
  leased = [],
  pins = {},
  machine = SWITCHDEV,
  network = {},
}: Wish): Promise<LaunchChoice> {
  const facts = await factsOf(machine, { links: LINKS, ...network });
  const all = nets.map((net, index) => ({ id: `net${index}`, at: '--net', ...net }) as PassedNet);
  const macs = { net0: '52:54:00:00:00:01', net1: '52:54:00:00:00:02' };
  const owner = { uid: 1000, gid: 1000 };
  return chooseDevices(
    {
      nets: all,
      owner,
      udev: false,
      macs,
      known: new Map(),
      leased: new Map(leased.map((address) => [address, 'the VM "other"'])),
      pins,
    },
    facts,
  );
}

const vf = (more: object = {}): Partial<PassedNet> => ({ mode: 'vf', pf: PF, ...more }) as Partial<PassedNet>;
const shell = ({ steps }: LaunchChoice): string => renderPlan({ steps });

test('a whole group for a user: modules, the devices, the right to open it', async () => {
  const choice = await choose({
    machine: DUAL_PORT,
    nets: [{ mode: 'vfio', selector: 'enp1s0f0', wholeGroup: true }],
  });
  expect(choice).toMatchObject({ problems: [], devices: { net0: '0000:01:00.0' } });
  expect(`\n${shell(choice)}`).toMatchInlineSnapshot(`
    "
    # load vfio-pci
    modprobe vfio-pci
    # load vfio_iommu_type1
    modprobe vfio_iommu_type1
    # give 0000:01:00.0 from igb to vfio-pci
    printf %s vfio-pci > /sys/bus/pci/devices/0000:01:00.0/driver_override
    if [ -e /sys/bus/pci/devices/0000:01:00.0/driver ]; then printf %s 0000:01:00.0 > /sys/bus/pci/devices/0000:01:00.0/driver/unbind; fi
    printf %s 0000:01:00.0 > /sys/bus/pci/drivers/vfio-pci/bind
    # give 0000:01:00.1 from igb to vfio-pci
    printf %s vfio-pci > /sys/bus/pci/devices/0000:01:00.1/driver_override
    if [ -e /sys/bus/pci/devices/0000:01:00.1/driver ]; then printf %s 0000:01:00.1 > /sys/bus/pci/devices/0000:01:00.1/driver/unbind; fi
    printf %s 0000:01:00.1 > /sys/bus/pci/drivers/vfio-pci/bind
    # let user 1000 open group 14
    chown 1000:1000 /dev/vfio/14
    "
  `);
});

test('half of one is refused with what keeps it', async () => {
  const choice = await choose({ machine: DUAL_PORT, nets: [{ mode: 'vfio', selector: 'enp1s0f0' }] });
  expect(choice.problems).toMatchObject([
    { code: 'QL_VFIO_REFUSED', why: [expect.stringContaining('0000:01:00.1 8086:1521 (igb, enp1s0f1)')] },
  ]);
});

test('both ports by name are the whole group too', async () => {
  const both = ['enp1s0f0', 'enp1s0f1'].map((selector) => ({ mode: 'vfio', selector }) as Partial<PassedNet>);
  expect(await choose({ machine: DUAL_PORT, nets: both })).toMatchObject({
    problems: [],
    devices: { net0: '0000:01:00.0', net1: '0000:01:00.1' },
  });
});

test('an address that means another device than at the last start is refused, with where that one is now', async () => {
  const net = (selector: string): Partial<PassedNet>[] => [{ mode: 'vfio', selector, wholeGroup: true }];
  const machine = DUAL_PORT + USB_NIC;
  const first = await choose({ machine, nets: net('01:00.0') });
  expect(first).toMatchObject({ problems: [], pins: { net0: '0000:01:00.0 8086:1521' } });
  expect((await choose({ machine, nets: net('01:00.0'), pins: first.pins })).problems).toEqual([]);

  const pins = { net0: '0000:01:00.0 1af4:1041' };
  const { problems } = await choose({ machine, nets: net('01:00.0'), pins });
  expect(problems).toMatchObject([
    {
      code: 'QL_VFIO_MOVED',
      why: [
        expect.stringContaining('it was 1af4:1041, and is 0000:01:00.0 8086:1521'),
        expect.stringContaining('1af4:1041 is now 0000:03:00.0'),
      ],
      todo: [
        'name 0000:03:00.0 instead, the device of then',
        'name id:8086:1521#0 instead, if this one is meant',
      ],
    },
  ]);
  // Told so, or by another address, it is taken.
  expect((await choose({ machine, nets: net('id:8086:1521#0'), pins })).problems).toEqual([]);
  expect((await choose({ machine, nets: net('01:00.1'), pins })).problems).toEqual([]);
});

test('a virtual function is set while no driver of the host or a guest sees it, and put back to what it was', async () => {
  const choice = await choose({ nets: [vf({ vf: 1, vlan: 7, trust: true })] });
  expect(choice).toMatchObject({ problems: [], devices: { net0: '0000:81:00.3' } });
  expect(`\n${shell(choice)}`).toMatchInlineSnapshot(`
    "
    # load vfio_iommu_type1
    modprobe vfio_iommu_type1
    # give 0000:81:00.3 to vfio-pci
    printf %s vfio-pci > /sys/bus/pci/devices/0000:81:00.3/driver_override
    if [ -e /sys/bus/pci/devices/0000:81:00.3/driver ]; then printf %s 0000:81:00.3 > /sys/bus/pci/devices/0000:81:00.3/driver/unbind; fi
    printf %s 0000:81:00.3 > /sys/bus/pci/drivers/vfio-pci/bind
    # set vlan 7 for virtual function 1 of ens1f0np0
    ip link set dev ens1f0np0 vf 1 vlan 7
    # set mac 52:54:00:00:00:01 for virtual function 1 of ens1f0np0
    ip link set dev ens1f0np0 vf 1 mac 52:54:00:00:00:01
    # set trust on for virtual function 1 of ens1f0np0
    ip link set dev ens1f0np0 vf 1 trust on
    # let user 1000 open group 42
    chown 1000:1000 /dev/vfio/42
    "
  `);
  const undo = choice.steps.flatMap((step) => ('run' in step.undo ? [step.undo.run.slice(5).join(' ')] : []));
  expect(undo).toEqual(['vf 1 vlan 5', 'vf 1 mac 02:00:00:00:00:a1', 'vf 1 trust off']);
});

test('of the free ones first that of which least is to be undone; two NICs get two', async () => {
  expect((await choose({ nets: [vf(), vf()] })).devices).toEqual({
    net0: '0000:81:00.2',
    net1: '0000:81:00.3',
  });
  expect((await choose({ nets: [vf()], leased: ['0000:81:00.2'] })).devices).toEqual({
    net0: '0000:81:00.3',
  });
});

test('at a card that is a switch nothing is set for a virtual function; as it is it can be given', async () => {
  const ports = ['ens1f0npf0vf0', 'ens1f0npf0vf1'].map((name) => nic(name));
  const network = { links: [...LINKS, ...ports] };
  const { problems } = await choose({ machine: ESWITCH, network, nets: [vf({ vf: 1 })] });
  expect(problems).toMatchObject([
    {
      code: 'QL_SWITCHDEV',
      why: [expect.stringContaining('(ens1f0npf0vf0, ens1f0npf0vf1)')],
      todo: [expect.stringContaining('its port is ens1f0npf0vf1'), expect.stringContaining('eswitch set')],
    },
  ]);
  const plain = await choose({ machine: ESWITCH, network, nets: [{ mode: 'vfio', selector: '81:00.3' }] });
  expect(plain.problems).toEqual([]);
});

test('none is free: each with its reason', async () => {
  const { problems } = await choose({ nets: [vf()], leased: ['0000:81:00.2', '0000:81:00.3'] });
  expect(problems).toMatchObject([
    { code: 'QL_NO_VF', why: ['0000:81:00.2: the VM "other" has it', expect.any(String)] },
  ]);
});

test('one that the host uses is not free, one that is down is', async () => {
  const machine = SWITCHDEV.replaceAll('group=42', 'group=42 driver=mlx5_core net=v1').replace(
    'driver=vfio-pci',
    'driver=mlx5_core net=v0',
  );
  const links = [...LINKS, nic('v0', { flags: ['UP'] }), nic('v1')];
  expect((await choose({ nets: [vf()], machine, network: { links } })).devices).toEqual({
    net0: '0000:81:00.3',
  });
});

const pfOf = async (text: string): Promise<VfioFacts['functions'][number]> => {
  const [pf] = (await factsOf(text, { links: LINKS })).functions;
  if (pf === undefined) throw new Error('no function');
  return pf;
};
const EMPTY = SWITCHDEV.replace(/ vfs=\S+/, '');

test('virtual functions are made without the host’s drivers on them', async () => {
  expect(`\n${renderPlan({ steps: planVfs(await pfOf(EMPTY), 4) })}`).toMatchInlineSnapshot(`
    "
    # keep the host’s drivers from new virtual functions of 0000:81:00.0
    printf %s 0 > /sys/bus/pci/devices/0000:81:00.0/sriov_drivers_autoprobe
    # make 4 virtual functions of 0000:81:00.0
    printf %s 4 > /sys/bus/pci/devices/0000:81:00.0/sriov_numvfs
    "
  `);
});

test.each([
  [SWITCHDEV, 3, 'QL_VF_COUNT'],
  [EMPTY, 9, 'QL_VF_COUNT'],
  [EMPTY.replace(' totalvfs=8', ''), 1, 'QL_NO_SRIOV'],
])('a number that can not be had is refused', async (text, count, code) => {
  const pf = await pfOf(text);
  expect(() => planVfs(pf, count)).toThrow(expect.objectContaining({ code }));
});

test('the number that is there already needs nothing', async () => {
  expect(planVfs(await pfOf(SWITCHDEV), 2)).toEqual([]);
});
