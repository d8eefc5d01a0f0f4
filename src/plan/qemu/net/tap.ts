import type { BridgeNet, NatNet, TapNet } from '../../../spec/net-spec.ts';
import { shellWord } from '../../shell.ts';
import type { NicContext, QemuContext } from '../context.ts';
import { opt } from '../opt.ts';

/** The tap is there, owned by QEMU's user: QEMU opens it by name and runs nothing. */
const READY = { script: 'no', downscript: 'no' } as const;

export function tapBackend(net: TapNet, nic: NicContext, context: QemuContext): string {
  const vhost = net.vhost ?? (net.vhostForce ? undefined : defaultVhost(net, context));
  const common = { sndbuf: net.sndbuf, vhost, vhostforce: net.vhostForce, vhostfd: net.vhostFd };
  // With fd= QEMU takes no word about the tap itself, not even script=no.
  if (net.fd !== undefined) return opt('tap', { id: net.id, fd: net.fd, ...common });
  const ifname = net.ifname ?? nic.ifname;
  // QEMU's default for a missing downscript is /etc/qemu-ifdown, which may not be there.
  const scripts =
    net.script === undefined ? READY : { script: net.script, downscript: net.downscript ?? 'no' };
  const queues = net.queues > 1 ? net.queues : undefined;
  return opt('tap', { id: net.id, ifname, ...scripts, vnet_hdr: net.vnetHdr, queues, ...common });
}

/** A NIC of a network is a port of the network's bridge: `ifname` was made by us, or the helper makes one. */
export function natBackend(net: NatNet, nic: NicContext, context: QemuContext): string {
  if (nic.bridge !== undefined) return bridgeBackend({ ...net, mode: 'bridge', bridge: nic.bridge }, context);
  const queues = net.queues > 1 ? net.queues : undefined;
  return opt('tap', { id: net.id, ifname: nic.ifname, ...READY, queues, vhost: defaultVhost(net, context) });
}

/**
 * Through QEMU's setuid helper, which opens one queue and names the tap itself, so none of these keys may be given.
 * `-netdev bridge` knows no vhost=; `-netdev tap,helper=` is the same with it.
 */
export function bridgeBackend(net: BridgeNet, context: QemuContext): string {
  const helper = net.helper ?? context.bridgeHelper;
  // With white space in it QEMU hands the whole line to sh -c (net_bridge_run_helper() in net/tap.c).
  const word = /[ \t]/.test(helper) ? shellWord : (text: string): string => text;
  const vhost = net.vhost ?? defaultVhost(net, context);
  return opt(vhost === undefined ? 'bridge' : 'tap', {
    id: net.id,
    helper: word(helper),
    br: word(net.bridge),
    vhost,
  });
}

/** A model other than virtio makes no use of it. */
function defaultVhost(net: TapNet | NatNet | BridgeNet, { accel, vhostNet }: QemuContext): true | undefined {
  return (vhostNet && accel === 'kvm' && net.model === 'virtio') || undefined;
}
