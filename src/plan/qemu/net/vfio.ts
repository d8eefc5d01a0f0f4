import type { NicCommon } from '../../../spec/net-spec.ts';
import { type PciAddress, pciDomain } from '../../../spec/pci-address.ts';
import type { MachineFamily } from '../../../spec/vm/machine.ts';
import { opt } from '../opt.ts';

/** On q35 the device gets a root port of its own: PCI Express devices expect one, and it can be unplugged. */
export function vfioArguments(
  net: Pick<NicCommon, 'id' | 'romFile' | 'romBar'>,
  pci: PciAddress | undefined,
  family: MachineFamily,
  bootindex: number | undefined,
): string[][] {
  if (pci === undefined) throw new TypeError(`the device of ${net.id} was not decided`);
  const port = family === 'q35' ? `port-${net.id}` : undefined;
  // Domains above ffff (VMD) are not taken by host= (qdev-properties-system.c).
  const address = pciDomain(pci) > 0xffff ? { sysfsdev: `/sys/bus/pci/devices/${pci}` } : { host: pci };
  const rom = { romfile: net.romFile, rombar: net.romBar === false ? 0 : undefined };
  const device = opt('vfio-pci', { id: net.id, ...address, bus: port, ...rom, bootindex });
  return [...(port ? [['-device', opt('pcie-root-port', { id: port })]] : []), ['-device', device]];
}
