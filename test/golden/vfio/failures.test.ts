/**
 * The twenty failures that people meet when they pass devices on, by their numbers: for each what is staged here (the
 * check before anything is touched, and the words of QEMU or the kernel with what they mean), and which test stages
 * it with a real or a simulated kernel.
 */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { QlaunchError } from '../../../src/errors.ts';
import { explain, renderExplained } from '../../../src/plan/vfio/explain.ts';
import { selectOne } from '../../../src/plan/vfio/select.ts';
import { planVfs } from '../../../src/plan/vfio/vf.ts';
import { explain as translate } from '../../../src/run/qemu/messages.ts';
import { numvfsRefused } from '../../../src/run/vfio/vf.ts';
import { isProblem } from '../../../src/spec/raw.ts';
import { parseSelector } from '../../../src/spec/vfio/selector.ts';
import { factsOf, type Network, nic } from './look.ts';
import { CHIPSET, DUAL_PORT, HELD, SWITCHDEV, VMD } from './machines.ts';

interface Failure {
  readonly what: string;
  /** What `vfio explain` says of a machine where it is about to happen. */
  readonly refused?: readonly [machine: string, selector: string, text: string, network?: Network];
  /** QEMU's line, and a piece of the cause that is put under it. */
  readonly said?: readonly (readonly [line: string, cause: string])[];
  /** A file and a test in it. */
  readonly staged?: readonly (readonly [file: string, title: string])[];
  readonly why?: () => Promise<void>;
}

const Q = 'qemu-system-x86_64: -device vfio-pci,host=0000:81:00.0: vfio 0000:81:00.0: ';
const LINKS = { links: [nic('enp1s0f0'), nic('enp1s0f1'), nic('eno1'), nic('ens1f0np0')] };
const ROUTED = { ...LINKS, routes: [{ dst: 'default', gateway: '192.0.2.1', dev: 'enp1s0f0' }] };
const REBIND = 'unit/run/vfio/rebind';
const LAUNCH = 'lab/vfio-launch';

const FAILURES: Readonly<Record<number, Failure>> = {
  1: {
    what: 'the group is not viable',
    refused: [
      DUAL_PORT,
      '01:00.1',
      'has other devices that the host uses: 0000:01:00.0 8086:1521 (igb, enp1s0f0)',
    ],
    said: [[`${Q}group 42 is not viable`, 'another device of the same IOMMU group still has a host driver']],
    staged: [
      ['lab/vfio', 'two functions in one group: one is refused with the other’s name, --group takes both'],
      [LAUNCH, 'half a group is refused before anything is touched; group=on takes it all'],
    ],
  },
  2: {
    what: 'no IOMMU',
    refused: [
      DUAL_PORT.replaceAll(/ group=\d+/g, '').replace('iommu DMAR', 'firmware DMAR'),
      '01:00.0',
      'the firmware has one (ACPI table DMAR): add intel_iommu=on',
    ],
    said: [[`${Q}no iommu_group found: No such file or directory`, 'the IOMMU is off']],
    staged: [
      [
        'lab/vfio-no-iommu',
        'without an IOMMU everything is refused before it begins, and said what is missing',
      ],
    ],
  },
  3: {
    what: 'interrupts are not remapped',
    said: [
      [
        `${Q}failed to setup container for group 8: Failed to set iommu for container: Operation not permitted`,
        'cannot remap interrupts',
      ],
    ],
    staged: [
      [
        'lab/vfio-no-intremap',
        'without interrupt remapping QEMU is refused by the kernel: its words, what they mean, and the NIC is back',
      ],
    ],
  },
  4: {
    what: 'memory of the firmware',
    refused: [CHIPSET, 'eno1', '(RMRR): attaching it is going to fail with EPERM'],
  },
  5: {
    what: 'the limit of locked memory',
    said: [
      [
        `${Q}vfio_dma_map(0x55d0, 0x0, 0x80000000, 0x7f00) = -12 (Cannot allocate memory)`,
        'locked-memory limit',
      ],
      ['qemu-system-x86_64: VFIO_MAP_DMA failed: Cannot allocate memory', 'locked-memory limit'],
    ],
    staged: [[LAUNCH, 'what root prepared is used without a right; what it lacks is told']],
  },
  6: {
    what: 'no right to open the group',
    said: [
      [`${Q}failed to open /dev/vfio/42: Permission denied`, 'may not open /dev/vfio/42'],
      [`${Q}Could not open '/dev/vfio/vfio': Permission denied`, 'systemd 254.0'],
    ],
    staged: [
      ['unit/plan/vfio/bind', 'the right to open the group comes last, after udev, which sets its own'],
      [LAUNCH, 'what root prepared is used without a right; what it lacks is told'],
    ],
  },
  7: {
    what: 'somebody has the group open',
    refused: [HELD, '01:00.0', 'pid 4711 (qemu-system-x86) has IOMMU group 14 open'],
    said: [[`${Q}failed to open /dev/vfio/42: Device or resource busy`, 'another VM has a device of this']],
    staged: [[LAUNCH, 'a guest exchanges a nonce through the NIC it was given']],
  },
  8: {
    what: 'the device is not on vfio-pci',
    said: [
      [
        `${Q}failed to open /dev/vfio/42: No such file or directory`,
        'no device of this IOMMU group is bound',
      ],
    ],
    staged: [[REBIND, 'a write that succeeds without an effect is noticed']],
  },
  9: {
    what: 'ENODEV: a name that the kernel does not know, or no override',
    refused: [CHIPSET, '0:1F.6', '0000:00:1f.6 8086:15bc'],
    staged: [
      [
        REBIND,
        'the name of the driver that may have it is written before it is let go, on the way there and back',
      ],
    ],
  },
  10: {
    what: 'EINVAL: in no group',
    refused: [VMD, '10000:e1:00.0', 'no-group (refused): it is in no IOMMU group'],
    staged: [[REBIND, 'refused or hanging at every write: taken back at once, or what is left is said']],
  },
  11: {
    what: 'EEXIST of new_id, which is never written',
    staged: [
      [
        REBIND,
        'the name of the driver that may have it is written before it is let go, on the way there and back',
      ],
      [REBIND, 'bound a second time nothing is written, and nothing is taken back'],
    ],
  },
  12: {
    what: 'an unbind that never returns',
    staged: [
      [REBIND, 'with a process that has the group open it is not taken away'],
      [REBIND, 'refused or hanging at every write: taken back at once, or what is left is said'],
      [LAUNCH, 'a guest exchanges a nonce through the NIC it was given'],
    ],
  },
  13: {
    what: 'the host loses its network',
    refused: [DUAL_PORT, '01:00.0', '0000:01:00.0 → enp1s0f0 (default route)', ROUTED],
    staged: [['lab/vfio', 'the NIC that carries the default route is refused, through a bridge too']],
  },
  14: {
    what: 'another device than at the last start, by the same address',
    staged: [
      [
        'unit/plan/vfio/launch',
        'an address that means another device than at the last start is refused, with where that one is now',
      ],
    ],
  },
  15: {
    what: 'EBUSY: from one number of virtual functions to another',
    why: () =>
      refuses(async () => planVfs(await one(SWITCHDEV, '81:00.0'), 3), /can only be changed through none/),
  },
  16: {
    what: 'ENOMEM: no room on the bus for virtual functions',
    why: () => numvfs('ENOMEM: Cannot allocate memory', 'the firmware left no room for them', 'pci=realloc'),
  },
  17: {
    what: 'ENOENT and ERANGE: no SR-IOV, or more than there are',
    why: async () => {
      await refuses(async () => planVfs(await one(DUAL_PORT, '01:00.0'), 1), /can have no virtual functions/);
      await refuses(async () => planVfs(await one(SWITCHDEV, '81:00.0'), 99), /can not have 99/);
      await numvfs(
        'ENOENT: no such file',
        'can not make virtual functions, which is told as "no such file"',
        'driver',
      );
      await numvfs('ENOSPC: No space left', 'out of interrupt vectors', 'fewer');
    },
    staged: [['lab/vfio-vf', 'made, set, lent to a VM with a MAC and a VLAN, returned, released: as before']],
  },
  18: {
    what: 'a physical function that has virtual ones',
    refused: [SWITCHDEV, '81:00.0', 'it has 2 virtual functions, which would all go away'],
    staged: [['lab/vfio-vf', 'made, set, lent to a VM with a MAC and a VLAN, returned, released: as before']],
  },
  19: {
    what: 'a virtual function with another MAC',
    staged: [
      [
        'unit/plan/vfio/launch',
        'a virtual function is set while no driver of the host or a guest sees it, and put back to what it was',
      ],
      ['lab/vfio-vf', 'made, set, lent to a VM with a MAC and a VLAN, returned, released: as before'],
    ],
  },
  20: {
    what: 'it can not be reset',
    refused: [CHIPSET, '00:1f.4', 'it cannot be reset: what one guest leaves in it the next one finds'],
    said: [
      ['vfio: Cannot reset device 0000:81:00.0, no available reset mechanism.', 'cannot be reset alone'],
      [
        'vfio: Cannot reset device 0000:81:00.0, depends on group 14 which is not owned.',
        'cannot be reset alone',
      ],
      [`${Q}Unable to power on device, stuck in D3`, 'power saving state'],
    ],
  },
};

async function one(machine: string, text: string): Promise<ReturnType<typeof selectOne>> {
  const selector = parseSelector(text, 'SEL');
  if (isProblem(selector)) throw new Error(selector.what);
  return selectOne(selector, await factsOf(machine, LINKS));
}

async function refuses(work: () => Promise<unknown>, what: RegExp): Promise<void> {
  await expect(work()).rejects.toMatchObject({ exit: 3, message: expect.stringMatching(what) });
}

async function numvfs(errno: string, cause: string, cure: string): Promise<void> {
  const error = new QlaunchError('QL_STEP_REFUSED', 4, { what: 'refused', why: [errno] });
  const { why, todo } = numvfsRefused(error, await one(SWITCHDEV, '81:00.0')) as QlaunchError;
  expect([why.join(), todo.join()]).toEqual([expect.stringContaining(cause), expect.stringContaining(cure)]);
}

test.each(Object.entries(FAILURES))('failure %s has its stage and its message', async (_, failure) => {
  const { refused, said = [], staged = [], why } = failure;
  expect([refused, why, ...said, ...staged].filter(Boolean).length).toBeGreaterThan(0);
  if (refused !== undefined) {
    const [machine, text, wanted, network = LINKS] = refused;
    const selector = parseSelector(text, 'SEL');
    if (isProblem(selector)) throw new Error(selector.what);
    const facts = await factsOf(machine, network);
    expect(renderExplained(explain(selectOne(selector, facts), facts))).toContain(wanted);
  }
  for (const [line, cause] of said)
    expect(translate(line)).toMatchObject([
      { cause: expect.stringContaining(cause), cure: expect.arrayContaining([expect.any(String)]) },
    ]);
  await why?.();
  for (const [file, title] of staged)
    expect(readFileSync(new URL(`../../${file}.test.ts`, import.meta.url), 'utf8')).toContain(
      `test('${title}`,
    );
});

test('none of the twenty is left out', () => {
  expect(Object.keys(FAILURES).map(Number)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
});
