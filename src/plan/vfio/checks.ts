/** What speaks against taking functions from the host, before anything is touched. */
import { deviceChecks } from './check-device.ts';
import { hostChecks } from './check-host.ts';
import { blockers, groupOf, type PciFunction, type VfioFacts } from './facts.ts';
import { describe } from './select.ts';

/** The words that --force takes. */
export const FORCEABLE = [
  'control-path',
  'link-up',
  'netns',
  'netdevs',
  'storage',
  'usb',
  'display',
  'rdma',
  'rmrr',
] as const;
export type Forceable = (typeof FORCEABLE)[number];

export interface Check {
  readonly id: string;
  readonly device: string;
  /** refuse: always. force: unless this check is named with --force. warn: told, and gone on. */
  readonly severity: 'refuse' | 'force' | 'warn';
  readonly what: string;
  readonly todo: readonly string[];
}

export interface Targets {
  /** Everything that would be taken: what was asked for, and with `wholeGroup` what keeps their groups from being used. */
  readonly functions: readonly PciFunction[];
  readonly wholeGroup: boolean;
}

export function targetsOf(asked: readonly PciFunction[], wholeGroup: boolean, facts: VfioFacts): Targets {
  const all = wholeGroup ? asked.flatMap((one) => [one, ...blockers(facts, one)]) : asked;
  const addresses = [...new Set(all.map(({ address }) => address))];
  const functions = addresses.flatMap((address) => all.find((one) => one.address === address) ?? []);
  return { functions, wholeGroup };
}

/** All that was found, the worst first. */
export function check({ functions, wholeGroup }: Targets, facts: VfioFacts): readonly Check[] {
  const all = [
    ...platform(facts),
    ...functions.flatMap((one) => [
      ...group(one, functions, wholeGroup, facts),
      ...deviceChecks(one, facts),
      ...(one.vfio ? [] : hostChecks(one, facts)),
    ]),
  ];
  const rank = { refuse: 0, force: 1, warn: 2 };
  return all.sort((a, b) => rank[a.severity] - rank[b.severity]);
}

/** Those that stop it. */
export function stopping(checks: readonly Check[], force: readonly string[]): readonly Check[] {
  return checks.filter(
    ({ severity, id }) => severity === 'refuse' || (severity === 'force' && !force.includes(id)),
  );
}

function platform(facts: VfioFacts): readonly Check[] {
  if (facts.iommu) return [];
  const cure =
    facts.firmware === undefined
      ? 'the firmware offers none: switch on VT-d (Intel) or AMD-Vi/IOMMU (AMD) in its setup'
      : `the firmware has one (ACPI table ${facts.firmware}): add intel_iommu=on to the kernel’s command line and reboot`;
  return [
    {
      id: 'no-iommu',
      device: 'host',
      severity: 'refuse',
      what: 'no IOMMU is at work: nothing would keep the device from reading all memory of the host',
      todo: [cure, 'ls /sys/class/iommu   # is not empty then'],
    },
  ];
}

/** A group is passed on as a whole or not at all: linux/Documentation/driver-api/vfio.rst. */
function group(
  one: PciFunction,
  targets: readonly PciFunction[],
  wholeGroup: boolean,
  facts: VfioFacts,
): readonly Check[] {
  if (!facts.iommu) return [];
  const of = groupOf(facts, one);
  if (one.group === undefined || of === undefined)
    return [refuse('no-group', one, 'it is in no IOMMU group: the IOMMU does not cover it', 'another slot')];
  if (facts.noIommuGroups.includes(of.id))
    return [
      refuse(
        'noiommu',
        one,
        'its group is without isolation (enable_unsafe_noiommu_mode), which cannot be used for device assignment to virtual machines',
        'echo N | sudo tee /sys/module/vfio/parameters/enable_unsafe_noiommu_mode',
      ),
    ];
  const rmrr: Check[] =
    of.direct.length === 0 || targets.find(({ group }) => group === of.id) !== one
      ? []
      : [
          {
            id: 'rmrr',
            device: one.address,
            severity: 'force',
            what: `the firmware keeps memory of group ${of.id} for itself (RMRR): attaching it is going to fail with EPERM`,
            todo: [
              'a setting of the firmware, or another slot',
              `cat /sys/kernel/iommu_groups/${of.id}/reserved_regions`,
            ],
          },
        ];
  const others = blockers(facts, one).filter((other) => !targets.includes(other));
  if (others.length === 0) return rmrr;
  return [
    ...rmrr,
    {
      id: 'group',
      device: one.address,
      severity: 'refuse',
      what: `IOMMU group ${of.id} has other devices that the host uses: ${others.map(describe).join('; ')}`,
      todo: wholeGroup
        ? [`qlaunch vfio explain ${one.address}`]
        : [
            `sudo qlaunch vfio bind ${one.address} --group   # takes them all`,
            'or put the card into another slot',
          ],
    },
  ];
}

/** Whether QEMU could open the group as it is now. */
export const isViable = (one: PciFunction, facts: VfioFacts): boolean =>
  one.group !== undefined && blockers(facts, one).length === 0;

function refuse(id: string, one: PciFunction, what: string, ...todo: string[]): Check {
  return { id, device: one.address, severity: 'refuse', what, todo };
}
