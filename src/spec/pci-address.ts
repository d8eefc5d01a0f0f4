import type { Problem } from './raw.ts';

declare const brand: unique symbol;
/** As the kernel writes it (`%04x:%02x:%02x.%d`): 0000:81:00.0. VMD domains have five digits. */
export type PciAddress = string & { readonly [brand]: 'PciAddress' };

const ADDRESS = /^(?:([0-9a-f]{1,8}):)?([0-9a-f]{1,2}):([0-9a-f]{1,2})\.([0-7])$/i;
/** libvirt's node device: pci_0000_81_00_0. */
const NODE_DEVICE = /^pci_([0-9a-f]{1,8})_([0-9a-f]{1,2})_([0-9a-f]{1,2})_([0-7])$/i;

/**
 * `81:00.0`, `0000:81:00.0` in any case, `pci:…`, `pci/…` (devlink), `pci_0000_81_00_0` (libvirt), or a path under
 * /sys that ends in an address.
 */
export function parsePciAddress(text: string, at: string): PciAddress | Problem {
  return readPciAddress(text) ?? { at, what: `"${text}" is not a PCI address`, hint: 'write 0000:81:00.0' };
}

export function readPciAddress(text: string): PciAddress | undefined {
  const bare = text.startsWith('/sys/')
    ? text.slice(text.lastIndexOf('/') + 1)
    : text.replace(/^pci[:/]/i, '');
  const [, domain = '0', bus = '', device = '', fn = ''] = ADDRESS.exec(bare) ?? NODE_DEVICE.exec(bare) ?? [];
  // A device has five bits; a function above 7 does not exist (ARI shows up as device and function).
  if (fn === '' || Number.parseInt(device, 16) > 0x1f) return undefined;
  const hex = (digits: string, width: number): string =>
    Number.parseInt(digits, 16).toString(16).padStart(width, '0');
  return `${hex(domain, 4)}:${hex(bus, 2)}:${hex(device, 2)}.${fn}` as PciAddress;
}

/** Above ffff QEMU's `host=` does not take it. */
export function pciDomain(address: PciAddress): number {
  return Number.parseInt(address, 16);
}
