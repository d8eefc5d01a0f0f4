/**
 * A PCI bus as a folder with sys/ in it, from a few lines of text:
 *
 *   iommu DMAR
 *   0000:01:00.0 8086:1521 020000 group=14 driver=igb net=enp1s0f0 reset=flr,bus numa=0
 *
 * Words: group= driver= net=A,B virtio=NET reset= numa= totalvfs= vfs=ADDR,ADDR usb=NET:PRODUCT disk=sda:MOUNT bridge
 * bootvga override= rmrr (its group has firmware memory) holder=PID:COMMAND (who has the group open) rep=NET:pf0vf0 (a
 * representor beside net=). "firmware DMAR": the table is there, and no IOMMU at work.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { onTestFinished } from 'vitest';

interface Line {
  readonly address: string;
  readonly id: string;
  readonly pciClass: string;
  readonly words: ReadonlyMap<string, string>;
}

export interface PciTree {
  readonly root: string;
  readonly lines: readonly Line[];
  put(path: string, content: string): void;
  link(path: string, target: string): void;
}

const deviceDir = (address: string): string => `/sys/devices/pci/${address}`;

export function pciTree(text: string): PciTree {
  const root = mkdtempSync(join(tmpdir(), 'qlaunch-pci-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const put = (path: string, content: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  };
  const link = (path: string, target: string): void => {
    const from = join(root, path);
    mkdirSync(dirname(from), { recursive: true });
    if (!existsSync(from)) symlinkSync(relative(dirname(from), join(root, target)), from);
  };
  const rows = text
    .split('\n')
    .map((row) => row.trim())
    .filter((row) => row !== '' && !row.startsWith('#'));
  const lines: Line[] = [];
  const tree: PciTree = { root, lines, put, link };
  for (const row of rows) {
    const [first = '', second = '', third = '', ...rest] = row.split(/\s+/);
    if (first === 'iommu' || first === 'firmware') {
      if (first === 'iommu') put('/sys/class/iommu/dmar0/intel-iommu/version', '1:0\n');
      put(`/sys/firmware/acpi/tables/${second}`, '');
      continue;
    }
    const words = new Map(rest.map((word) => [word.split('=')[0] ?? '', word.slice(word.indexOf('=') + 1)]));
    lines.push({ address: first, id: second, pciClass: third, words });
  }
  for (const line of lines) device(line, tree);
  for (const line of lines)
    for (const [index, vf] of (line.words.get('vfs')?.split(',') ?? []).entries()) {
      link(`${deviceDir(line.address)}/virtfn${index}`, deviceDir(vf));
      link(`${deviceDir(vf)}/physfn`, deviceDir(line.address));
    }
  return tree;
}

function device({ address, id, pciClass, words }: Line, { root, put, link }: PciTree): void {
  const dir = deviceDir(address);
  const [vendor = '', product = ''] = id.split(':');
  put(`${dir}/vendor`, `0x${vendor}\n`);
  put(`${dir}/device`, `0x${product}\n`);
  put(`${dir}/subsystem_vendor`, '0x8086\n');
  put(`${dir}/subsystem_device`, '0x0001\n');
  put(`${dir}/class`, `0x${pciClass}\n`);
  put(`${dir}/numa_node`, `${words.get('numa') ?? '-1'}\n`);
  put(`${dir}/driver_override`, `${words.get('override') ?? '(null)'}\n`);
  if (words.has('reset')) put(`${dir}/reset_method`, `${words.get('reset')?.replaceAll(',', ' ')}\n`);
  if (words.has('totalvfs')) put(`${dir}/sriov_totalvfs`, `${words.get('totalvfs')}\n`);
  if (words.has('bootvga')) put(`${dir}/boot_vga`, '1\n');
  if (words.has('bridge')) put(`${dir}/pci_bus/0000:01/uevent`, '');
  link(`/sys/bus/pci/devices/${address}`, dir);
  link(`${dir}/subsystem`, '/sys/bus/pci');
  const driver = words.get('driver');
  if (driver !== undefined) {
    put(`/sys/bus/pci/drivers/${driver}/bind`, '');
    put(`/sys/bus/pci/drivers/${driver}/unbind`, '');
    link(`${dir}/driver`, `/sys/bus/pci/drivers/${driver}`);
  }
  const group = words.get('group');
  if (group !== undefined) {
    const at = `/sys/kernel/iommu_groups/${group}`;
    put(`${at}/type`, 'DMA-FQ\n');
    if (words.has('rmrr')) put(`${at}/reserved_regions`, '0x00000000000e0000 0x00000000000fffff direct\n');
    link(`${dir}/iommu_group`, at);
    link(`${at}/devices/${address}`, dir);
    if (driver === 'vfio-pci') put(`/dev/vfio/${group}`, '');
    const [pid, command] = words.get('holder')?.split(':') ?? [];
    if (pid !== undefined) {
      put(`/proc/${pid}/comm`, `${command}\n`);
      mkdirSync(join(root, `/proc/${pid}/fd`), { recursive: true });
      symlinkSync(`/dev/vfio/${group}`, join(root, `/proc/${pid}/fd/9`));
    }
  }
  for (const name of words.get('net')?.split(',') ?? []) netdev(name, dir, '/sys/bus/pci', { put, link });
  for (const word of words.get('rep')?.split(',') ?? []) {
    const [name = '', port] = word.split(':');
    netdev(name, dir, '/sys/bus/pci', { put, link });
    put(`${dir}/net/${name}/phys_port_name`, `${port}\n`);
  }
  const virtio = words.get('virtio');
  if (virtio !== undefined) netdev(virtio, `${dir}/virtio2`, '/sys/bus/virtio', { put, link });
  const [usbNet, usbProduct] = words.get('usb')?.split(':') ?? [];
  if (usbNet !== undefined) {
    put(`${dir}/usb1/1-2/product`, `${usbProduct}\n`);
    netdev(usbNet, `${dir}/usb1/1-2/1-2:1.0`, '/sys/bus/usb', { put, link });
  }
  const [disk, mount] = words.get('disk')?.split(':') ?? [];
  if (disk === undefined) return;
  put(`${dir}/ata1/host0/block/${disk}/dev`, '8:0\n');
  put(`${dir}/ata1/host0/block/${disk}/${disk}1/partition`, '1\n');
  put(`${dir}/ata1/host0/block/${disk}/${disk}1/dev`, '8:1\n');
  link(`/sys/block/${disk}`, `${dir}/ata1/host0/block/${disk}`);
  if (mount !== undefined) put('/proc/self/mountinfo', `22 1 8:1 / ${mount} rw - ext4 /dev/${disk}1 rw\n`);
}

function netdev(name: string, on: string, bus: string, { put, link }: Pick<PciTree, 'put' | 'link'>): void {
  put(`${on}/net/${name}/mtu`, '1500\n');
  put(`${bus}/uevent`, '');
  link(`${on}/net/${name}/device`, on);
  link(`${on}/subsystem`, bus);
  link(`/sys/class/net/${name}`, `${on}/net/${name}`);
}
