/** Files in which other programs say that a function is theirs. */
import { join } from 'node:path';
import { type PciAddress, readPciAddress } from '../../spec/pci-address.ts';
import { names, text } from './bus.ts';

export interface Claim {
  readonly address: PciAddress;
  /** A path, or who it is: "libvirt's domain web". */
  readonly by: string;
}

export function readClaims(root: string): readonly Claim[] {
  return [...driverctl(root), ...libvirt(root), ...proxmox(root)];
}

/** driverctl(8): /etc/driverctl.d/0000:81:00.0, older ones pci-0000:81:00.0. */
function driverctl(root: string): readonly Claim[] {
  return names(join(root, '/etc/driverctl.d')).flatMap((name) => {
    const address = readPciAddress(name.replace(/^pci-/, ''));
    return address === undefined ? [] : [{ address, by: `/etc/driverctl.d/${name}` }];
  });
}

/** Domains that run; libvirt removes the file at the end. */
function libvirt(root: string): readonly Claim[] {
  const dir = join(root, '/run/libvirt/qemu');
  const files = names(dir).filter((name) => name.endsWith('.xml'));
  return files.flatMap((name) => {
    const devices = (text(join(dir, name)) ?? '').match(/<hostdev\b[\s\S]*?<\/hostdev>/g) ?? [];
    return devices.flatMap((device) => {
      const source = /<source>[\s\S]*?<address ([^>]*)\/>/.exec(device)?.[1] ?? '';
      const field = (key: string): string =>
        new RegExp(`\\b${key}=['"]0x([0-9a-f]+)['"]`, 'i').exec(source)?.[1] ?? '';
      const address = readPciAddress(
        `${field('domain')}:${field('bus')}:${field('slot')}.${field('function')}`,
      );
      return address === undefined ? [] : [{ address, by: `libvirt’s domain ${name.slice(0, -4)}` }];
    });
  });
}

/** "0000:81:00.0 100 pid:1234": PVE::QemuServer::PCI. */
function proxmox(root: string): readonly Claim[] {
  const lines = (text(join(root, '/run/qemu-server/pci-id-reservations')) ?? '').split('\n');
  return lines.flatMap((line) => {
    const [first = '', vm = '?'] = line.split(' ');
    const address = readPciAddress(first);
    return address === undefined ? [] : [{ address, by: `VM ${vm} of Proxmox` }];
  });
}
