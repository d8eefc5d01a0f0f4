import type { NetSpec } from '../../spec/net-spec.ts';
import { machineFamily } from '../../spec/vm/machine.ts';
import type { VmSpec } from '../../spec/vm-spec.ts';
import { bootIndices } from './boot.ts';
import type { NicContext, QemuContext } from './context.ts';
import { passtBackend } from './net/passt.ts';
import { bridgeBackend, natBackend, tapBackend } from './net/tap.ts';
import { userBackend } from './net/user.ts';
import { vfioArguments } from './net/vfio.ts';
import { opt } from './opt.ts';

/** Devices of the host that are not NICs of the spec. */
export function hostdevArguments(spec: VmSpec, { hostdevs = {} }: QemuContext): string[][] {
  const family = machineFamily(spec.machine) ?? 'q35';
  return spec.hostdevs.flatMap((device) => vfioArguments(device, hostdevs[device.id], family, undefined));
}

/** Backend and device of every NIC, in the order of the spec. */
export function netArguments(spec: VmSpec, context: QemuContext): string[][] {
  const indices = bootIndices(spec);
  const microvm = machineFamily(spec.machine) === 'microvm';
  return spec.nets.flatMap((net) => {
    const nic = context.nics[net.id];
    if (nic === undefined) throw new TypeError(`nothing was decided about NIC ${net.id}`);
    const bootindex = indices.get(net.id);
    if (net.mode === 'vfio' || net.mode === 'vf')
      return vfioArguments(net, nic.pci, machineFamily(spec.machine) ?? 'q35', bootindex);
    return [
      ['-netdev', backend(net, nic, context)],
      ['-device', device(net, nic, microvm, bootindex)],
    ];
  });
}

type Emulated = Exclude<NetSpec, { mode: 'vfio' | 'vf' }>;

function backend(net: Emulated, nic: NicContext, context: QemuContext): string {
  switch (net.mode) {
    case 'user':
      return userBackend(net);
    case 'passt':
      return passtBackend(net, context);
    case 'bridge':
      return bridgeBackend(net, context);
    case 'tap':
      return tapBackend(net, nic, context);
    case 'nat':
      return natBackend(net, nic, context);
  }
}

function device(net: Emulated, { mac }: NicContext, microvm: boolean, bootindex: number | undefined): string {
  const virtio = net.model === 'virtio';
  return opt(virtio ? (microvm ? 'virtio-net-device' : 'virtio-net-pci') : net.model, {
    // Netdevs and devices have separate name spaces, so one id serves both: set_link takes either.
    id: net.id,
    netdev: net.id,
    mac,
    mq: net.queues > 1 ? true : undefined,
    host_mtu: virtio ? net.mtu : undefined,
    romfile: net.romFile,
    rombar: net.romBar === false ? 0 : undefined,
    bootindex,
  });
}
