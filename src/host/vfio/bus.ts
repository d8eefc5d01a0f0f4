/**
 * /sys/bus/pci as it is, under any root. Reads nothing that takes the device's lock: driver_override and
 * sriov_numvfs block for as long as an unbind does (linux/drivers/pci/pci-sysfs.c).
 */
import { existsSync, readdirSync, readFileSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { IommuGroup, PciFunction } from '../../plan/vfio/facts.ts';
import { type PciAddress, readPciAddress } from '../../spec/pci-address.ts';
import { plainName } from '../ip-json.ts';
import { blockDevices, type DiskUses } from './blocks.ts';

export const names = (dir: string): readonly string[] => quietly(() => readdirSync(dir).sort()) ?? [];
export const text = (path: string): string | undefined => quietly(() => readFileSync(path, 'utf8').trim());
const linkName = (path: string): string | undefined => quietly(() => basename(readlinkSync(path)));

/** A device may vanish between two looks. */
export function quietly<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}

export function readFunctions(root: string, disks: DiskUses): readonly PciFunction[] {
  const bus = join(root, '/sys/bus/pci/devices');
  return names(bus).flatMap((name) => {
    const address = readPciAddress(name);
    return address === undefined ? [] : [readFunction(join(bus, name), address, disks)];
  });
}

function readFunction(dir: string, address: PciAddress, disks: DiskUses): PciFunction {
  const hex = (file: string, width: number): string =>
    (text(join(dir, file)) ?? '').replace(/^0x/, '').padStart(width, '0');
  const driver = linkName(join(dir, 'driver'));
  const group = linkName(join(dir, 'iommu_group'));
  const pf = linkName(join(dir, 'physfn'));
  const total = text(join(dir, 'sriov_totalvfs'));
  const numa = Number(text(join(dir, 'numa_node')) ?? -1);
  const optional = {
    driver,
    group: group === undefined ? undefined : Number(group),
    pf: pf === undefined ? undefined : readPciAddress(pf),
    totalVfs: total === undefined ? undefined : Number(total),
    numa: numa < 0 ? undefined : numa,
  };
  return {
    address,
    vendor: hex('vendor', 4),
    device: hex('device', 4),
    subVendor: hex('subsystem_vendor', 4),
    subDevice: hex('subsystem_device', 4),
    pciClass: hex('class', 6),
    bridge: existsSync(join(dir, 'pci_bus')),
    vfio: isVfio(dir, driver),
    netdevs: below(dir, 'net'),
    vfs: virtualFunctions(dir),
    resets: (text(join(dir, 'reset_method')) ?? '').split(/\s+/).filter(Boolean),
    bootVga: text(join(dir, 'boot_vga')) === '1',
    blocks: blockDevices(dir, disks),
    usb: usbDevices(dir),
    rdma: below(dir, 'infiniband'),
    ...defined(optional),
  };
}

/** vfio-pci, or a variant with the device in /sys since 6.1 (mlx5_vfio_pci). */
function isVfio(dir: string, driver: string | undefined): boolean {
  return driver !== undefined && (/vfio/.test(driver) || existsSync(join(dir, 'vfio-dev')));
}

/** A virtio NIC has its interface one level deeper: DIR/virtio2/net/eth0. */
function below(dir: string, what: string): readonly string[] {
  const deeper = names(dir).filter((name) => /^virtio\d+$/.test(name));
  return [join(dir, what), ...deeper.map((name) => join(dir, name, what))].flatMap(names).map(plainName);
}

function virtualFunctions(dir: string): readonly PciAddress[] {
  const links = names(dir).filter((name) => /^virtfn\d+$/.test(name));
  const byNumber = links.sort((a, b) => Number(a.slice(6)) - Number(b.slice(6)));
  return byNumber.flatMap((name) => readPciAddress(linkName(join(dir, name)) ?? '') ?? []);
}

/** Of a controller: usb1/1-2/product. Its root hubs are not told. */
function usbDevices(dir: string): readonly string[] {
  const buses = names(dir).filter((name) => /^usb\d+$/.test(name));
  const devices = buses.flatMap((bus) => names(join(dir, bus)).map((name) => join(dir, bus, name)));
  return devices
    .filter((path) => /^\d+-[\d.]+$/.test(basename(path)))
    .map((path) => plainName(text(join(path, 'product')) ?? basename(path)));
}

export function readGroups(root: string): readonly IommuGroup[] {
  const dir = join(root, '/sys/kernel/iommu_groups');
  return names(dir)
    .filter((name) => /^\d+$/.test(name))
    .map((name) => {
      const regions = text(join(dir, name, 'reserved_regions')) ?? '';
      const node = quietly(() => statSync(join(root, '/dev/vfio', name)));
      const optional = {
        type: text(join(dir, name, 'type')),
        node: node && { uid: node.uid, gid: node.gid, mode: node.mode & 0o7777 },
      };
      return {
        id: Number(name),
        members: names(join(dir, name, 'devices')).flatMap((one) => readPciAddress(one) ?? []),
        direct: regions.split('\n').filter((line) => line.endsWith(' direct')),
        ...defined(optional),
      };
    })
    .sort((a, b) => a.id - b.id);
}

/** linux/net/core/devlink.c: pf0vf2, or c1pf0vf2 on a card with several controllers. Only where the card is a switch. */
export function representorOf(root: string, name: string): number | undefined {
  const port = text(join(root, '/sys/class/net', name, 'phys_port_name'));
  const number = /^(?:c\d+)?pf\d+vf(\d+)$/.exec(port ?? '')?.[1];
  return number === undefined ? undefined : Number(number);
}

/** Where an interface hangs: on a PCI function (also by virtio), or why on none. */
export function functionOf(
  root: string,
  name: string,
): { readonly function?: PciAddress; readonly notPci?: string } {
  const device = join(root, '/sys/class/net', name, 'device');
  const path = quietly(() => realpathSync(device));
  if (path === undefined) return {};
  const subsystem = linkName(join(device, 'subsystem'));
  const on = subsystem === 'virtio' ? join(path, '..') : path;
  const address = readPciAddress(basename(on));
  const stands = representorOf(root, name);
  if (stands !== undefined)
    return {
      notPci: `it stands for virtual function ${stands} of ${address ?? 'its card'} on the card’s own switch`,
    };
  if (address !== undefined && (subsystem === 'virtio' || subsystem === 'pci')) return { function: address };
  if (subsystem === 'usb')
    return {
      notPci: 'it hangs on USB: the PCI device above it is the controller of everything plugged in there',
    };
  return { notPci: `it hangs on the bus ${subsystem ?? 'of no name'}` };
}

type Defined<T> = { readonly [K in keyof T]?: Exclude<T[K], undefined> };
export const defined = <T extends object>(values: T): Defined<T> =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Defined<T>;
