/** `vfio explain`: everything that is known about taking one device, and nothing done. */
import { type Check, check, stopping, targetsOf } from './checks.ts';
import { groupOf, isBridge, isQuiet, type PciFunction, type VfioFacts } from './facts.ts';
import { describe } from './select.ts';

export interface Explained {
  readonly address: string;
  readonly about: string;
  readonly group: number | null;
  readonly members: readonly { readonly address: string; readonly about: string; readonly part: string }[];
  readonly checks: readonly Check[];
  readonly checksWithGroup: readonly Check[];
  /** "yes", "with --group", "with --force=…", "no". */
  readonly verdict: string;
  readonly qemu: string;
}

export function explain(one: PciFunction, facts: VfioFacts): Explained {
  const alone = check(targetsOf([one], false, facts), facts);
  const withGroup = check(targetsOf([one], true, facts), facts);
  const members = (groupOf(facts, one)?.members ?? []).flatMap((address) => {
    const member = facts.functions.find((other) => other.address === address);
    return member === undefined ? [] : [{ address, about: describe(member), part: partOf(member, one) }];
  });
  return {
    address: one.address,
    about: describe(one),
    group: one.group ?? null,
    members,
    checks: alone,
    checksWithGroup: withGroup,
    verdict: verdict(alone, withGroup),
    qemu: qemuSays(one, alone, facts),
  };
}

function partOf(member: PciFunction, one: PciFunction): string {
  if (member.address === one.address) return 'the device itself';
  if (isQuiet(member)) return isBridge(member) ? 'a bridge: stays where it is' : 'in nobody’s way';
  return `has the driver ${member.driver}: must go along (--group)`;
}

function verdict(alone: readonly Check[], withGroup: readonly Check[]): string {
  const needsGroup = alone.some(({ id }) => id === 'group');
  const stops = stopping(needsGroup ? withGroup : alone, []);
  if (stops.some(({ severity }) => severity === 'refuse')) return 'no';
  const force = stops.length === 0 ? [] : [`--force=${[...new Set(stops.map(({ id }) => id))].join(',')}`];
  const words = [...(needsGroup ? ['--group'] : []), ...force];
  return words.length === 0 ? 'yes' : `with ${words.join(' and ')}`;
}

/** The words of hw/vfio/pci.c and hw/vfio/container.c in QEMU. */
function qemuSays(one: PciFunction, checks: readonly Check[], facts: VfioFacts): string {
  const prefix = `vfio ${one.address}: `;
  const ids = new Set(checks.map(({ id }) => id));
  if (!facts.iommu || one.group === undefined)
    return `${prefix}no iommu_group found: No such file or directory`;
  if (ids.has('bridge')) return `${prefix}assignment of PCIe type … devices is not currently supported`;
  if (!one.vfio)
    return `${prefix}failed to open /dev/vfio/${one.group}: No such file or directory   (until it is bound)`;
  if (ids.has('held')) return `${prefix}failed to open /dev/vfio/${one.group}: Device or resource busy`;
  if (ids.has('group')) return `${prefix}group ${one.group} is not viable`;
  if (ids.has('rmrr'))
    return `${prefix}failed to setup container for group ${one.group}: … Operation not permitted`;
  return 'nothing: it would take the device';
}

/** Text for a terminal. */
export function renderExplained(of: Explained): string {
  const lines = [of.about, of.group === null ? 'in no IOMMU group' : `IOMMU group ${of.group}:`];
  for (const { about, part } of of.members) lines.push(`  ${about}: ${part}`);
  lines.push('Checks:');
  const shown = new Map([...of.checks, ...of.checksWithGroup].map((one) => [`${one.device} ${one.id}`, one]));
  for (const { id, device, severity, what, todo } of shown.values()) {
    const how = { refuse: 'refused', force: `refused unless --force=${id}`, warn: 'told' }[severity];
    lines.push(`  ${device} ${id} (${how}): ${what}`, ...todo.map((line) => `    try: ${line}`));
  }
  if (shown.size === 0) lines.push('  nothing speaks against it');
  lines.push(`Can it be bound: ${of.verdict}`, `QEMU would say: ${of.qemu}`);
  return lines.join('\n');
}
