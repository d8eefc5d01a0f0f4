/** What can not be done with this QEMU, told before anything is touched: QEMU would say it late, and in fewer words. */
import { EXIT, QlaunchError } from '../../errors.ts';
import type { NetSpec } from '../../spec/net-spec.ts';
import type { Problem } from '../../spec/raw.ts';
import { machineFamily } from '../../spec/vm/machine.ts';
import type { DiskBus, VmSpec } from '../../spec/vm-spec.ts';
import { shellLine } from '../shell.ts';
import type { NicContext, QemuContext } from './context.ts';
import { nativePasst } from './net/passt.ts';

export type SupportFacts = Pick<QemuContext, 'binary' | 'caps' | 'nics' | 'vhostNet'>;

/** Throws QL_QEMU_LACKS with everything that is missing. */
export function requireSupport(spec: VmSpec, facts: SupportFacts): void {
  const problems = unsupported(spec, facts);
  if (problems.length === 0) return;
  throw new QlaunchError('QL_QEMU_LACKS', EXIT.refused, {
    what: `VM "${spec.name}" asks for what is not there`,
    why: problems.map(({ at, what, hint }) => `${at}: ${what}${hint ? ` (${hint})` : ''}`),
    todo: cures(problems, facts),
  });
}

interface Lack extends Problem {
  /** QEMU's option whose `help` lists what there is; none when it is not QEMU that lacks something. */
  readonly ask?: '-machine' | '-display' | '-device' | '-netdev';
}

function cures(problems: readonly Lack[], { binary, caps }: SupportFacts): readonly string[] {
  const { major, minor } = caps.version;
  const asked = [...new Set(problems.flatMap(({ ask }) => ask ?? []))];
  const show = asked.map((option) => shellLine([binary, option, 'help']));
  return asked.length === 0
    ? []
    : [`${show.join('; ')}   # what this QEMU ${major}.${minor} has`, '--qemu takes another one'];
}

export function unsupported(spec: VmSpec, { caps, nics, vhostNet }: SupportFacts): readonly Lack[] {
  const problems: Lack[] = [];
  const lack = (ask: Lack['ask'], at: string, what: string, hint?: string): void =>
    void problems.push({
      at,
      what,
      ...(hint === undefined ? {} : { hint }),
      ...(ask === undefined ? {} : { ask }),
    });
  const { machine, display } = spec;
  if (!caps.machines.has(machine)) lack('-machine', '--machine', `this QEMU has no machine "${machine}"`);
  if (display !== 'none' && !caps.displays.has(display))
    lack('-display', '--display', `this QEMU has no "${display}"`, '--vnc 1');
  const microvm = machineFamily(spec.machine) === 'microvm';
  for (const { id, bus } of spec.disks) {
    const device = microvm && bus === 'virtio' ? 'virtio-blk-device' : DISK_DEVICES[bus];
    if (!caps.devices.has(device)) lack('-device', `disk ${id}`, `this QEMU has no device ${device}`);
  }
  for (const net of spec.nets) {
    const device = nicDevice(net, microvm);
    const since = device === 'igb' ? 'igb is there since QEMU 8.0' : undefined;
    if (!caps.devices.has(device)) lack('-device', net.at, `this QEMU has no device ${device}`, since);
    const backend = net.mode === 'passt' && nativePasst(caps) ? 'passt' : BACKENDS[net.mode];
    if (backend !== undefined && !caps.netdevs.has(backend))
      lack('-netdev', net.at, `this QEMU was built without "${backend}" networks`);
    // Where it can not be opened, QEMU 7.2 to 8.2 abort without a word that helps.
    if (!vhostNet && needsVhost(net))
      lack(
        undefined,
        net.at,
        'vhost needs /dev/vhost-net, which can not be opened here',
        'sudo modprobe vhost_net, or leave vhost= out',
      );
    if (waitsForHost(net, nics[net.id]))
      lack(
        undefined,
        net.at,
        `this version does not make what a NIC of mode ${net.mode} needs on the host`,
        net.mode === 'tap'
          ? 'a tap that is there: tap:NAME,script=no'
          : 'user, passt, bridge:BR or tap:NAME,script=no',
      );
  }
  return problems;
}

function needsVhost(net: NetSpec): boolean {
  if (net.mode === 'bridge') return net.vhost === true;
  return net.mode === 'tap' && net.vhostFd === undefined && (net.vhost === true || net.vhostForce === true);
}

const DISK_DEVICES: Readonly<Record<DiskBus, string>> = {
  virtio: 'virtio-blk-pci',
  scsi: 'scsi-hd',
  nvme: 'nvme',
  ide: 'ide-hd',
};

const BACKENDS: Readonly<Partial<Record<NetSpec['mode'], string>>> = {
  user: 'user',
  passt: 'stream',
  bridge: 'bridge',
  tap: 'tap',
  nat: 'tap',
};

function nicDevice(net: NetSpec, microvm: boolean): string {
  if (net.mode === 'vfio' || net.mode === 'vf') return 'vfio-pci';
  return net.model === 'virtio' ? `virtio-net-${microvm ? 'device' : 'pci'}` : net.model;
}

/** The tap or the device that a host plan has to come up with. Without it QEMU would make a tap that goes nowhere. */
function waitsForHost(net: NetSpec, nic: NicContext | undefined): boolean {
  if (net.mode === 'vfio' || net.mode === 'vf') return nic?.pci === undefined;
  if (net.mode === 'nat') return nic?.ifname === undefined && nic?.bridge === undefined;
  if (net.mode !== 'tap' || net.fd !== undefined || net.script !== undefined) return false;
  return net.ifname === undefined && nic?.ifname === undefined;
}
