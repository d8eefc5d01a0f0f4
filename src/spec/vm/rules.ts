/** Combinations across the whole VM that QEMU refuses late, misreads or crashes on. */
import { clash } from '../forward.ts';
import type { KeyName } from '../keys.ts';
import { forwardedTwice } from '../net/rules.ts';
import { BUILT_IN, type Gathering } from '../raw.ts';
import type { VmSpec } from '../vm-spec.ts';
import { checkExtra } from './extra.ts';
import { machineFamily } from './machine.ts';

/** Where the parts were written, for messages; NICs know it themselves. */
export interface Places {
  key(name: KeyName): string;
  disk(id: string): string;
}

export function checkVm(spec: VmSpec, places: Places, gathering: Gathering): void {
  checkIds(spec, places, gathering);
  checkDisks(spec, places, gathering);
  checkNics(spec, gathering);
  checkBoot(spec, places, gathering);
  checkExtra(spec, gathering);
  if (machineFamily(spec.machine) === 'microvm') checkMicrovm(spec, places, gathering);
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
const RESERVED =
  /^(supervisor|command|events|serial0|rng0|balloon0|scsi0|vnc0|video0|pflash[01]|cdrom[0-9]+|hostdev[0-9]+|port-.*)$/;

function checkIds(spec: VmSpec, places: Places, gathering: Gathering): void {
  const devices = [
    ...spec.disks.map(({ id }) => ({ id, at: places.disk(id) })),
    ...spec.nets.map(({ id, at }) => ({ id, at })),
  ];
  for (const again of repeated(devices, (device) => device.id)) {
    const first = devices.find(({ id }) => id === again.id) ?? again;
    // Nobody wrote the NIC that every VM has.
    const [at, other] = again.at === BUILT_IN ? [first.at, 'the default NIC'] : [again.at, first.at];
    gathering.refuse(at, `id "${again.id}" is used twice`, other === at ? undefined : `also by ${other}`);
  }
  for (const { id, at } of devices)
    if (RESERVED.test(id)) gathering.refuse(at, `id "${id}" is used by qlaunch itself`);
}

function checkDisks(spec: VmSpec, places: Places, gathering: Gathering): void {
  // Two writers destroy a file system; QEMU's own lock would stop it, but late and only for local files.
  for (const { id, file } of repeated(spec.disks, (disk) => disk.file)) {
    const all = spec.disks.filter((disk) => disk.file === file);
    if (!all.every((disk) => disk.readOnly))
      gathering.refuse(places.disk(id), `${file} is used twice and not read-only`);
  }
  // pc: two channels of two; q35: six AHCI ports.
  const room = machineFamily(spec.machine) === 'pc' ? 4 : 6;
  const ide = spec.disks.filter((disk) => disk.bus === 'ide').length + spec.cdroms.length;
  if (ide > room && machineFamily(spec.machine) !== 'microvm')
    gathering.refuse(
      places.key('machine'),
      `${ide} IDE disks and CD-ROMs, but ${spec.machine} has room for ${room}`,
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
  for (const [i, { forward, net }] of forwards.entries()) {
    const other = forwards
      .slice(0, i)
      .find((earlier) => earlier.net !== net && clash(earlier.forward, forward));
    if (other) gathering.refuse(net.at, forwardedTwice(forward));
  }
}

function checkBoot({ boot, uefi, kernel, nets }: VmSpec, places: Places, gathering: Gathering): void {
  const at = places.key('boot');
  if (boot.once !== undefined && uefi)
    gathering.refuse(at, 'UEFI does not know once=', 'order=cd: an empty disk is passed over');
  if (boot.once !== undefined && nets.some((net) => net.boot !== undefined))
    gathering.refuse(at, 'once= has no effect on devices with their own boot=');
  // hw/i386/x86.c gives 0 to the loader of -kernel.
  for (const net of nets)
    if (kernel && net.boot === 0) gathering.refuse(net.at, 'boot=0 is taken by the kernel', 'boot=1');
}

function checkMicrovm(spec: VmSpec, places: Places, gathering: Gathering): void {
  const refuse = (at: string, what: string, hint?: string): void =>
    void gathering.refuse(at, `machine microvm ${what}`, hint);
  // QEMU's manual, "microvm": no firmware boots from virtio-mmio.
  if (!spec.kernel) refuse(places.key('machine'), 'boots nothing but a kernel', '--kernel FILE');
  for (const disk of spec.disks)
    if (disk.bus === 'ide' || disk.bus === 'nvme')
      refuse(places.disk(disk.id), `has no ${disk.bus}`, 'bus=virtio or bus=scsi');
  for (const net of spec.nets) {
    if (net.mode === 'vfio' || net.mode === 'vf') refuse(net.at, 'has no PCI, so no passthrough');
    else if (net.model !== 'virtio') refuse(net.at, `has no PCI, so no ${net.model}`, 'model=virtio');
    if (net.romFile !== undefined) refuse(net.at, 'has no option ROMs');
  }
  for (const { at } of spec.hostdevs) refuse(at, 'has no PCI, so no passthrough');
  if (spec.uefi) refuse(places.key('uefi'), 'does not boot by this UEFI');
  if (spec.vnc) refuse(places.key('vnc'), 'has no screen', '--serial stdio');
  if (spec.display !== 'none') refuse(places.key('display'), 'has no screen', '--serial stdio');
}
