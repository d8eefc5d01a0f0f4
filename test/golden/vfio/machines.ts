/** Machines that nobody here has. */
export const DUAL_PORT = `
iommu DMAR
0000:00:1c.0 8086:a338 060400 group=11 driver=pcieport bridge
0000:01:00.0 8086:1521 020000 group=14 driver=igb net=enp1s0f0 reset=flr,bus numa=0
0000:01:00.1 8086:1521 020000 group=14 driver=igb net=enp1s0f1 reset=flr,bus numa=0
`;
export const CHIPSET = `
iommu DMAR
0000:00:1f.0 8086:a305 060100 group=7
0000:00:1f.3 8086:a348 040300 group=7 driver=snd_hda_intel reset=pm
0000:00:1f.4 8086:a323 0c0500 group=7 driver=i801_smbus
0000:00:1f.5 8086:a352 010601 group=7 driver=ahci disk=sda:/ rmrr
0000:00:1f.6 8086:15bc 020000 group=7 driver=e1000e net=eno1 reset=flr,pm
`;
export const VMD = `
iommu DMAR
0000:00:0e.0 8086:467f 010400 group=9 driver=vmd
10000:e0:06.0 8086:464d 060400 driver=pcieport bridge
10000:e1:00.0 144d:a80a 010802 driver=nvme reset=flr,bus
10000:e2:00.0 8086:15f3 020000 group=21 driver=igc net=eth7 reset=flr
`;
export const USB_NIC = `
iommu IVRS
0000:00:14.0 8086:a36d 0c0330 group=4 driver=xhci_hcd usb=enx0011:LAN7500 reset=pm
0000:03:00.0 1af4:1041 020000 group=5 driver=virtio-pci virtio=eth0 reset=flr
`;
export const SWITCHDEV = `
iommu DMAR
0000:81:00.0 15b3:101d 020000 group=40 driver=mlx5_core net=ens1f0np0 totalvfs=8 vfs=0000:81:00.2,0000:81:00.3 reset=flr
0000:81:00.2 15b3:101e 020000 group=41 driver=vfio-pci reset=flr
0000:81:00.3 15b3:101e 020000 group=42 reset=flr
`;
/** The same card as a switch: its virtual functions’ ports hang on the physical one. */
export const ESWITCH: string = SWITCHDEV.replace(
  'net=ens1f0np0',
  'net=ens1f0np0 rep=ens1f0npf0vf0:pf0vf0,ens1f0npf0vf1:pf0vf1',
);
/** A guest has it already. */
export const HELD = `
iommu DMAR
0000:01:00.0 8086:1521 020000 group=14 driver=vfio-pci holder=4711:qemu-system-x86 reset=flr
`;
