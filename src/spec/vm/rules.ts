/** Combinations across the whole VM that QEMU refuses late, misreads or crashes on. */
import { checkForwards } from '../net/rules.ts';
import type { Gathering } from '../raw.ts';
import type { VmSpec } from '../vm-spec.ts';
import { machineFamily } from './machine.ts';

export function checkVm(spec: VmSpec, gathering: Gathering): void {
  checkIds(spec, gathering);
  checkDisks(spec, gathering);
  checkNics(spec, gathering);
  checkBoot(spec, gathering);
  if (machineFamily(spec.machine) === 'microvm') checkMicrovm(spec, gathering);
}

function repeated<T>(items: readonly T[], key: (item: T) => string | undefined): T[] {
  const seen = new Set<string>();
  return items.filter((item) => {
    const value = key(item);
    if (value === undefined) return false;
    const again = seen.has(value);
    seen.add(value);
    return again;
  });
}

/** Ids that the command line of ours uses itself. */
const RESERVED = /^(supervisor|command|events|serial0|rng0|balloon0|scsi0|vnc0|video0|cdrom[0-9]+|port-.*)$/;

function checkIds(spec: VmSpec, gathering: Gathering): void {
  const devices = [
    ...spec.disks.map(({ id }) => ({ id, at: `disk ${id}` })),
    ...spec.nets.map(({ id, at }) => ({ id, at })),
  ];
  for (const { id, at } of repeated(devices, (device) => device.id))
    gathering.refuse(at, `id "${id}" is used twice`);
  for (const { id, at } of devices)
    if (RESERVED.test(id)) gathering.refuse(at, `id "${id}" is used by qlaunch itself`);
}

function checkDisks(spec: VmSpec, gathering: Gathering): void {
  // Two writers destroy a file system; QEMU's own lock would stop it, but late and only for local files.
  for (const { id, file } of repeated(spec.disks, (disk) => disk.file)) {
    const all = spec.disks.filter((disk) => disk.file === file);
    if (!all.every((disk) => disk.readOnly))
      gathering.refuse(`disk ${id}`, `${file} is used twice and not read-only`);
  }
  // pc: two channels of two; q35: six AHCI ports.
  const room = machineFamily(spec.machine) === 'pc' ? 4 : 6;
  const ide = spec.disks.filter((disk) => disk.bus === 'ide').length + spec.cdroms.length;
  if (ide > room && machineFamily(spec.machine) !== 'microvm')
    gathering.refuse(
      'disks',
      `${ide} IDE disks and CD-ROMs, but machine ${spec.machine} has room for ${room}`,
    );
}

function checkNics(spec: VmSpec, gathering: Gathering): void {
  for (const { mac, at } of repeated(spec.nets, (net) => net.mac))
    gathering.refuse(at, `MAC address ${mac} is used twice in this VM`);
  for (const { at, boot } of repeated(spec.nets, (net) => net.boot?.toString()))
    gathering.refuse(at, `boot=${boot} is used twice`);
  const taps = spec.nets.filter((net) => net.mode === 'tap');
  for (const { at, ifname } of repeated(taps, (tap) => tap.ifname))
    gathering.refuse(at, `interface ${ifname} is used twice in this VM`);
  const fds = taps.flatMap((tap) =>
    [tap.fd, tap.vhostFd].flatMap((fd) => (fd === undefined ? [] : [{ fd, at: tap.at }])),
  );
  for (const { at, fd } of repeated(fds, ({ fd }) => String(fd)))
    gathering.refuse(at, `descriptor ${fd} is used twice`);
  // passt and slirp listen on the host; a nat network may forward there, too.
  const forwards = spec.nets.flatMap((net) =>
    'forwards' in net ? net.forwards.map((forward) => ({ forward, net })) : [],
  );
  const nets = new Set(forwards.map(({ net }) => net));
  if (nets.size > 1)
    checkForwards(
      forwards.map(({ forward }) => forward),
      (what) => void gathering.refuse('--net', what),
    );
}

function checkBoot({ boot, uefi, nets }: VmSpec, gathering: Gathering): void {
  if (boot.once !== undefined && uefi)
    gathering.refuse('--boot', 'UEFI does not know once=', 'order=cd: an empty disk is passed over');
  if (boot.once !== undefined && nets.some((net) => net.boot !== undefined))
    gathering.refuse('--boot', 'once= has no effect on devices with their own boot=');
}

function checkMicrovm(spec: VmSpec, gathering: Gathering): void {
  const refuse = (at: string, what: string, hint?: string): void =>
    void gathering.refuse(at, `machine microvm ${what}`, hint);
  // QEMU's manual, "microvm": no firmware boots from virtio-mmio.
  if (!spec.kernel) refuse('--machine', 'boots nothing but a kernel', '--kernel FILE');
  for (const disk of spec.disks)
    if (disk.bus === 'ide' || disk.bus === 'nvme')
      refuse(`disk ${disk.id}`, `has no ${disk.bus}`, 'bus=virtio or bus=scsi');
  for (const net of spec.nets) {
    if (net.mode === 'vfio' || net.mode === 'vf') refuse(net.at, 'has no PCI, so no passthrough');
    else if (net.model !== 'virtio') refuse(net.at, `has no PCI, so no ${net.model}`, 'model=virtio');
    if (net.romFile !== undefined) refuse(net.at, 'has no option ROMs');
  }
  if (spec.uefi) refuse('--uefi', 'does not boot by this UEFI');
  if (spec.vnc) refuse('--vnc', 'has no screen', '--serial stdio');
  if (spec.display !== 'none') refuse('--display', 'has no screen', '--serial stdio');
}
