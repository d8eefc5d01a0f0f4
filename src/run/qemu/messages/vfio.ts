/** hw/vfio, 7.2 to 11.0. */
import type { MessageRow } from './row.ts';

const LIST_GROUP = 'ls -l /sys/kernel/iommu_groups/$<group>/devices/*/driver';

export const vfioMessages: readonly MessageRow[] = [
  {
    pattern: /no such host device: No such file or directory/,
    cause: 'there is no PCI device with that address',
    cure: ['qlaunch vfio list'],
  },
  {
    pattern: /(vfio (error: )?(?<device>[0-9a-f]+:[0-9a-f:.]+): )?no iommu_group found/,
    cause: 'the IOMMU is off: in the firmware (VT-d, AMD-Vi) or on the kernel’s command line',
    cure: [
      'add intel_iommu=on to the kernel’s command line (AMD needs nothing), switch VT-d or AMD-Vi on in the firmware',
      'qlaunch vfio explain $<device>   # tells which of the two it is',
    ],
  },
  {
    pattern: /(vfio (error: )?(?<device>[0-9a-f]+:[0-9a-f:.]+): )?group (?<group>\d+) is not viable/,
    cause:
      'another device of the same IOMMU group still has a host driver; a group can only be passed on as a whole',
    cure: ['sudo qlaunch vfio bind $<device> --group   # takes them all', LIST_GROUP],
  },
  {
    pattern: /\/dev\/vfio\/vfio'?: Permission denied/,
    cause: '/dev/vfio/vfio is for everybody, but not on this host: systemd 254.0 took that away',
    cure: ['sudo udevadm trigger /dev/vfio/vfio', 'sudo chmod 0666 /dev/vfio/vfio   # until the next boot'],
  },
  {
    pattern: /assignment of PCIe type 0x[0-9a-f]+ devices is not currently supported/,
    cause: 'this is a bridge or a root port: only what is behind it can be passed on',
    cure: ['qlaunch vfio list --tree'],
  },
  {
    pattern: /hardware reports invalid configuration, MSIX PBA outside of specified BAR/,
    cause: 'the device says nonsense about its interrupts; some do after a guest that was killed',
    cure: [
      'a cold start of the host',
      '-device vfio-pci,…,x-msix-relocation=auto   # behind --, instead of --net',
    ],
  },
  {
    pattern: /([Cc]ould not open|failed to open) '?\/dev\/vfio\/(?<group>\d+)'?: No such file/,
    cause: 'no device of this IOMMU group is bound to vfio-pci',
    cure: ['sudo qlaunch vfio bind ADDRESS', 'qlaunch vfio list -v   # shows each device’s driver'],
  },
  {
    pattern: /([Cc]ould not open|failed to open) '?\/dev\/vfio\/(?<group>\d+)'?: Permission denied/,
    cause: 'the user QEMU runs as may not open /dev/vfio/$<group>',
    cure: [
      'sudo qlaunch vfio bind ADDRESS --user $<user>   # for all devices of the group',
      'sudo chown $<user> /dev/vfio/$<group>',
    ],
  },
  {
    pattern: /([Cc]ould not open|failed to open) '?\/dev\/vfio\/(?<group>\d+)'?: Device or resource busy/,
    cause: 'another VM has a device of this IOMMU group',
    cure: ['qlaunch vfio list   # names who', 'sudo fuser -v /dev/vfio/$<group>'],
  },
  {
    pattern: /error getting device from group (?<group>\d+)/,
    cause: 'this device is not bound to vfio-pci, though others of its group are',
    cure: [LIST_GROUP],
  },
  {
    pattern: /No available IOMMU models|Failed to set iommu for container: Operation not permitted/,
    cause: 'vfio_iommu_type1 is not loaded, or this platform cannot remap interrupts',
    cure: ['sudo modprobe vfio_iommu_type1', 'dmesg | grep -i remapping'],
  },
  {
    pattern: /VFIO_MAP_DMA failed: Cannot allocate memory|vfio_(container_)?dma_map\(.*\) = -12/,
    cause:
      'the locked-memory limit of the user QEMU runs as is below the guest’s memory plus the device’s own',
    cure: ['ulimit -l', 'raise memlock in /etc/security/limits.d/ for $<user>, then log in again'],
  },
  {
    pattern: /Unable to power on device, stuck in D3/,
    cause: 'the device does not wake up from its power saving state',
    cure: [
      'sudo modprobe vfio-pci disable_idle_d3=1   # before the device is bound',
      'only a reboot helps when it stays stuck',
    ],
  },
  {
    pattern: /device is already attached|group \d+ used in multiple address spaces/,
    cause: 'the same device, or two of one IOMMU group in different address spaces, were given to this VM',
    cure: ['name each device once'],
  },
  {
    pattern:
      /\/dev\/iommu does not exist|VFIO_DEVICE_CDEV|failed to find vfio-dev|Parameter 'qom-type' does not accept value 'iommufd'/,
    cause: 'iommufd needs Linux 6.6 built with it and QEMU 9.0',
    cure: ['leave iommufd out: the older interface does the same'],
  },
  {
    pattern:
      /Cannot reset device .*, (no available reset mechanism|depends on group (?<group>\d+) which is not owned)/,
    cause:
      'the device cannot be reset alone, so a guest’s restart may leave it in a state that it does not recover from',
    cure: ['cat /sys/bus/pci/devices/ADDRESS/reset_method', 'pass on all devices of the slot'],
  },
];
