/** A NIC of a network is a port of the network's bridge: by a tap that root makes, or by QEMU's bridge helper. */

import { parseIfName } from '../../spec/ifname.ts';
import type { Portgroup } from '../../spec/nat/portgroup.ts';
import type { BridgeNet, NatNet, NetSpec, TapNet } from '../../spec/net-spec.ts';
import { isProblem } from '../../spec/raw.ts';

export interface Socket {
  /** That of the network. */
  readonly bridge: string;
  readonly by: 'tap' | 'helper';
  /** Its ports do not reach each other; never with `helper`, which can not see to it. */
  readonly isolated?: true;
  readonly portgroups?: readonly Portgroup[];
}

/** undefined: it named none that there is, or none and the network has no default. */
export const portgroupOf = ({ portgroup }: NatNet, all: readonly Portgroup[] = []): Portgroup | undefined =>
  all.find(({ name, isDefault }) => (portgroup === undefined ? isDefault === true : name === portgroup));

/** @param sockets by the network's name; a NIC whose network has none stays as it is */
export function plugIn(nets: readonly NetSpec[], sockets: ReadonlyMap<string, Socket>): readonly NetSpec[] {
  return nets.map((net) => {
    const socket = net.mode === 'nat' ? sockets.get(net.network) : undefined;
    return net.mode === 'nat' && socket !== undefined ? portOf(net, socket) : net;
  });
}

function portOf(net: NatNet, { bridge: name, by, isolated, portgroups }: Socket): TapNet | BridgeNet {
  const bridge = parseIfName(name, net.at);
  if (isProblem(bridge)) throw new TypeError(`a network has the bridge ${name}`);
  const { network: _network, forwards: _forwards, mode: _mode, portgroup: _group, ...nic } = net;
  const { name: _name, isDefault: _default, ...group } = portgroupOf(net, portgroups) ?? { name: '' };
  if (by === 'helper') return { ...nic, bridge, mode: 'bridge' };
  return { ...nic, bridge, mode: 'tap', ...(isolated === true ? { isolated } : {}), ...group };
}
