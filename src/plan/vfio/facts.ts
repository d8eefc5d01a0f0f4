/** The PCI bus, its IOMMU groups and who depends on them, as one look found them. Plain objects. */
import type { PciAddress } from '../../spec/pci-address.ts';

export interface PciFunction {
  readonly address: PciAddress;
  /** Four hex digits each. */
  readonly vendor: string;
  readonly device: string;
  readonly subVendor: string;
  readonly subDevice: string;
  /** Six hex digits: class, subclass, interface. */
  readonly pciClass: string;
  readonly driver?: string;
  /** '' when there is none; undefined when the kernel did not answer in time. */
  readonly override?: string;
  /** IOMMU group. */
  readonly group?: number;
  /** Header type 1: it has a bus behind it. */
  readonly bridge: boolean;
  /** Bound to a driver of VFIO. */
  readonly vfio: boolean;
  /** Names, as far as this network namespace shows them. */
  readonly netdevs: readonly string[];
  /** The physical function of a virtual one. */
  readonly pf?: PciAddress;
  /** In the order of their numbers. */
  readonly vfs: readonly PciAddress[];
  /** How many virtual functions it could have. */
  readonly totalVfs?: number;
  readonly numa?: number;
  /** linux/drivers/pci/pci.c: device_specific acpi flr af_flr pm bus cxl_bus, in the order they are tried. */
  readonly resets: readonly string[];
  readonly bootVga: boolean;
  readonly blocks: readonly BlockDevice[];
  /** What hangs on a USB controller, by the names the devices give themselves. */
  readonly usb: readonly string[];
  /** InfiniBand devices (mlx5_0). */
  readonly rdma: readonly string[];
}

/** A disk below a function. */
export interface BlockDevice {
  readonly name: string;
  /** Why the host needs it: "/dev/sda1 is mounted on /", "swap", "held by dm-0". */
  readonly uses: readonly string[];
  /** It carries / or /boot. */
  readonly root: boolean;
}

export interface IommuGroup {
  readonly id: number;
  readonly members: readonly PciAddress[];
  /** Lines of reserved_regions that end in "direct": memory the firmware owns (RMRR). */
  readonly direct: readonly string[];
  /** DMA, DMA-FQ, identity, … */
  readonly type?: string;
  /** /dev/vfio/N, while a member is bound to VFIO. */
  readonly node?: { readonly uid: number; readonly gid: number; readonly mode: number };
}

/** A network interface with what it stands on. */
export interface Netdev {
  readonly name: string;
  readonly altnames: readonly string[];
  /** The permanent address where the driver tells it. */
  readonly mac?: string;
  readonly address?: string;
  readonly kind?: string;
  readonly master?: string;
  /** Of a card in switchdev mode: the number of the virtual function that it stands for. */
  readonly representor?: number;
  /** What a VLAN or macvlan lies on. */
  readonly lower?: string;
  readonly mtu: number;
  readonly up: boolean;
  readonly carrier: boolean;
  /** Global ones, with prefix. */
  readonly addresses: readonly string[];
  /** The function it belongs to, or why it belongs to none. */
  readonly function?: PciAddress;
  readonly notPci?: string;
  readonly vfs: readonly VfAdmin[];
}

/** One row of vfinfo_list: what the administrator set for a virtual function. `ip -j link`. */
export interface VfAdmin {
  readonly index: number;
  readonly mac?: string;
  readonly vlan: number;
  readonly qos: number;
  readonly spoofchk?: boolean;
  readonly trust?: boolean;
  readonly linkState?: string;
  /** Mbit/s; 0: no limit. */
  readonly maxRate: number;
  readonly minRate: number;
}

/** Why the host needs a network interface, however many layers above a device it is. */
export interface NetReason {
  readonly name: string;
  readonly why: string;
}

/** A process that has a group or one of its devices open. */
export interface Holder {
  readonly group: number;
  readonly pid: number;
  readonly command: string;
}

export interface VfioFacts {
  readonly functions: readonly PciFunction[];
  readonly groups: readonly IommuGroup[];
  /** An IOMMU is at work. */
  readonly iommu: boolean;
  /** The firmware describes one: DMAR (Intel) or IVRS (AMD). */
  readonly firmware?: string;
  /** Groups without isolation (enable_unsafe_noiommu_mode). */
  readonly noIommuGroups: readonly number[];
  readonly netdevs: readonly Netdev[];
  readonly reasons: readonly NetReason[];
  readonly holders: readonly Holder[];
  /** Files of other programs that name a function. */
  readonly claims: readonly { readonly address: PciAddress; readonly by: string }[];
  readonly modules: { readonly pci: boolean; readonly type1: boolean };
}

export const functionAt = (facts: VfioFacts, address: string): PciFunction | undefined =>
  facts.functions.find((one) => one.address === address);

export const groupOf = (facts: VfioFacts, one: PciFunction): IommuGroup | undefined =>
  facts.groups.find(({ id }) => id === one.group);

export const netdevNamed = (facts: VfioFacts, name: string): Netdev | undefined =>
  facts.netdevs.find((dev) => dev.name === name || dev.altnames.includes(name));

/** linux/include/linux/pci_ids.h: 02 is network, 06 all that is a bridge, to whatever. */
export const isNic = (one: PciFunction): boolean => one.pciClass.startsWith('02');
export const isBridge = (one: PciFunction): boolean => one.bridge || one.pciClass.startsWith('06');

/**
 * Members of its group whose drivers keep QEMU from opening it. Those of VFIO, pci-stub and pcieport say that they
 * leave DMA alone (driver_managed_dma since Linux 5.19); without a driver it is quiet too.
 */
export function blockers(facts: VfioFacts, one: PciFunction): readonly PciFunction[] {
  const members = groupOf(facts, one)?.members ?? [];
  return facts.functions.filter(
    (other) => members.includes(other.address) && other.address !== one.address && !isQuiet(other),
  );
}

export const isQuiet = (one: PciFunction): boolean =>
  one.vfio || one.driver === undefined || one.driver === 'pci-stub' || one.driver === 'pcieport';
