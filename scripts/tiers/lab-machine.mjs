// The nested machine's hardware. Devices sit so that each kind of IOMMU group exists: alone, shared by two functions
// behind a port without ACS, shared behind a conventional PCI bridge.
import { execFileSync } from 'node:child_process';

const scripts = new URL('..', import.meta.url).pathname;

const INTEL_IOMMU = ['-device', 'intel-iommu,intremap=on,caching-mode=on'];

/** Which QEMU is the outer emulator, its IOMMU, and what only it can offer. A test file asks with "// lab: 10.x". */
const flavours = {
  7.2: { binary: () => 'qemu-system-x86_64', iommu: INTEL_IOMMU, devices: [] },
  'no-iommu': { binary: () => 'qemu-system-x86_64', iommu: [], devices: [] },
  // Interrupts are not remapped, so the kernel refuses to let a guest have a device.
  'no-intremap': {
    binary: () => 'qemu-system-x86_64',
    iommu: ['-device', 'intel-iommu,intremap=off,caching-mode=on'],
    devices: [],
  },
  '10.x': {
    binary: () => execFileSync(`${scripts}qemu10`, { encoding: 'utf8' }).trim(),
    iommu: INTEL_IOMMU,
    // The one NIC with virtual functions.
    devices: [...rootPort(6), ...nic('n8', 'igb,bus=rp6', '52:54:00:00:00:61')],
  },
};

/**
 * The command line of a lab.
 * @param flavour a name of the table above
 * @param parts { kernel, initrd } from scripts/lab, { share: a directory that the lab sees as /run/lab, writable }
 */
export function labCommand(flavour, { kernel, initrd, share }) {
  const { binary, iommu, devices } = flavours[flavour];
  return [
    binary(),
    ...[
      '-machine',
      'q35,kernel-irqchip=split',
      '-accel',
      'tcg,thread=multi',
      '-cpu',
      'max',
      '-smp',
      '2',
      '-m',
      '2048',
    ],
    ...[
      '-nodefaults',
      '-no-user-config',
      '-display',
      'none',
      '-monitor',
      'none',
      '-serial',
      'stdio',
      '-no-reboot',
    ],
    ...['-kernel', kernel, '-initrd', initrd],
    // The check of the timer fails, with a panic, where the emulator waits for a busy CPU; what guards against other
    // tenants of a processor costs time here and guards nothing. A steady tick wakes a virtual CPU whose one timer the
    // emulator has lost.
    ...[
      '-append',
      'console=ttyS0 intel_iommu=on panic=-1 quiet net.ifnames=0 no_timer_check nohz=off highres=off mitigations=off',
    ],
    // First of all devices: what comes before it stays outside the IOMMU.
    ...iommu,
    ...['-virtfs', 'local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap'],
    ...['-virtfs', `local,path=${share.replaceAll(',', ',,')},mount_tag=lab,security_model=none`],
    // eth0: the management NIC.
    ...nic('n0', 'virtio-net-pci', '52:54:00:00:00:01'),
    ...rootPort(1),
    // On one wire with n4 and nobody else, so that a guest that was given it can be met there.
    ...nic('n1', 'e1000e,bus=rp1', '52:54:00:00:00:11', 'hubport,hubid=1'),
    ...rootPort(2, ',disable-acs=true'),
    ...nic('n2', 'e1000e,bus=rp2,addr=0.0,multifunction=on', '52:54:00:00:00:21'),
    ...nic('n3', 'e1000e,bus=rp2,addr=0.1', '52:54:00:00:00:22'),
    ...rootPort(3),
    ...nic(
      'n4',
      'virtio-net-pci,bus=rp3,disable-legacy=on,iommu_platform=on',
      '52:54:00:00:00:31',
      'hubport,hubid=1',
    ),
    ...rootPort(4),
    ...['-device', 'pcie-pci-bridge,id=pb,bus=rp4'],
    ...nic('n5', 'e1000,bus=pb,addr=1', '52:54:00:00:00:41'),
    ...nic('n6', 'e1000,bus=pb,addr=2', '52:54:00:00:00:42'),
    ...devices,
  ];
}

function rootPort(number, options = '') {
  return ['-device', `pcie-root-port,id=rp${number},chassis=${number},slot=${number}${options}`];
}

function nic(id, device, mac, backend = 'user') {
  return ['-netdev', `${backend},id=${id}`, '-device', `${device},netdev=${id},mac=${mac},romfile=`];
}
