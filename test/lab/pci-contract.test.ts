// needs: iommu, modules, vfio
import { execFileSync } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { linuxMachine } from '../../src/host/linux.ts';
import { pciContract } from '../pci-contract.ts';
import { byMac } from './pci-state.ts';

pciContract('the real bus', async () => {
  execFileSync('modprobe', ['-a', 'vfio-pci', 'vfio_iommu_type1']);
  const { address } = byMac('52:54:00:00:00:11');
  const group = basename(readlinkSync(`/sys/bus/pci/devices/${address}/iommu_group`));
  return { machine: linuxMachine(), address, native: 'e1000e', foreign: 'virtio-pci', group };
});
