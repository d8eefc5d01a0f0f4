/** What `vfio list` says of each function: the same object is a row of the table and of --json. */
import { isViable } from './checks.ts';
import { groupOf, isNic, type PciFunction, type VfioFacts } from './facts.ts';
import { chainsFrom, renderChain } from './reasons.ts';

export interface VfioRow {
  readonly address: string;
  /** "8086:1572" */
  readonly id: string;
  /** From pci.ids. */
  readonly name?: string;
  readonly class: string;
  readonly driver: string | null;
  /** '' none, null: the kernel did not answer. */
  readonly override: string | null;
  readonly group: number | null;
  /** Addresses of all members. */
  readonly members: readonly string[];
  /** QEMU could open the group as it is now. */
  readonly viable: boolean;
  readonly netdevs: readonly string[];
  /** "eth1 → bond0 (default route)". */
  readonly carries: readonly string[];
  readonly pf: string | null;
  /** Number of a virtual function. */
  readonly vf: number | null;
  readonly vfs: readonly string[];
  readonly totalVfs: number | null;
  readonly numa: number | null;
  readonly resets: readonly string[];
  readonly disks: readonly string[];
  readonly usb: readonly string[];
  readonly holders: readonly { readonly pid: number; readonly command: string }[];
  /** The change of ours that holds it. */
  readonly change: string | null;
}

export interface RowContext {
  /** Vendor and device, four hex digits each. */
  readonly nameOf: (vendor: string, device: string) => string | undefined;
  /** Address → id of the change. */
  readonly ours: ReadonlyMap<string, string>;
}

export function rowsOf(facts: VfioFacts, context: RowContext): readonly VfioRow[] {
  return facts.functions.map((one) => rowOf(one, facts, context));
}

function rowOf(one: PciFunction, facts: VfioFacts, { nameOf, ours }: RowContext): VfioRow {
  const name = nameOf(one.vendor, one.device);
  const pf = facts.functions.find(({ address }) => address === one.pf);
  const holders = facts.holders.filter(({ group }) => one.vfio && group === one.group);
  return {
    address: one.address,
    id: `${one.vendor}:${one.device}`,
    ...(name === undefined ? {} : { name }),
    class: className(one.pciClass),
    driver: one.driver ?? null,
    override: one.override ?? null,
    group: one.group ?? null,
    members: groupOf(facts, one)?.members ?? [],
    viable: isViable(one, facts),
    netdevs: one.netdevs,
    carries: one.netdevs.flatMap((dev) => chainsFrom(dev, facts)).map(renderChain),
    pf: one.pf ?? null,
    vf: pf === undefined ? null : pf.vfs.indexOf(one.address),
    vfs: one.vfs,
    totalVfs: one.totalVfs ?? null,
    numa: one.numa ?? null,
    resets: one.resets,
    disks: one.blocks.map((disk) => disk.name),
    usb: one.usb,
    holders: holders.map(({ pid, command }) => ({ pid, command })),
    change: ours.get(one.address) ?? null,
  };
}

/** What a table without -v shows: NICs, and what is taken already. */
export const isOfInterest = (facts: VfioFacts, address: string): boolean =>
  facts.functions.some((one) => one.address === address && (isNic(one) || one.vfio));

/** linux/include/linux/pci_ids.h; what people pass on, or meet in the same group. */
const CLASSES: readonly (readonly [string, string])[] = [
  ['0108', 'NVMe'],
  ['0106', 'SATA'],
  ['01', 'storage'],
  ['0200', 'NIC'],
  ['02', 'network'],
  ['0300', 'VGA'],
  ['03', 'display'],
  ['0403', 'audio'],
  ['04', 'multimedia'],
  ['0600', 'host bridge'],
  ['0601', 'ISA bridge'],
  ['0604', 'PCI bridge'],
  ['06', 'bridge'],
  ['0c03', 'USB'],
  ['0c05', 'SMBus'],
  ['12', 'accelerator'],
];

const className = (pciClass: string): string =>
  CLASSES.find(([start]) => pciClass.startsWith(start))?.[1] ?? `class ${pciClass}`;

/** A few words each; the worst first. */
export function remarks(row: VfioRow): readonly string[] {
  const held = row.holders.map(({ pid, command }) => `used by pid ${pid} (${command})`);
  return [
    ...row.carries,
    ...held,
    ...(row.change === null ? [] : [`change ${row.change}`]),
    ...(row.pf === null ? [] : [`VF ${row.vf} of ${row.pf}`]),
    ...(row.totalVfs === null || row.totalVfs === 0 ? [] : [`${row.vfs.length} of ${row.totalVfs} VFs`]),
    ...(row.group !== null && !row.viable ? [`its group has ${row.members.length - 1} more`] : []),
    ...(row.group === null ? ['no IOMMU group'] : []),
    ...(row.override === null ? ['does not answer'] : []),
  ];
}
