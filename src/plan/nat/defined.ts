/** A network whose definition is complete: `define` has filled in what the user left open. */
import type { Network, NetworkBridge } from '../../spec/nat/network.ts';

/** It has a `mac`, unless its bridge is one of the host's own. */
export interface DefinedNetwork extends Network {
  readonly bridge: NetworkBridge & { readonly name: string };
}

export function isDefined(network: Network): network is DefinedNetwork {
  return network.bridge.name !== undefined && (network.mac !== undefined || isHostBridge(network));
}

/** Nothing is made for it. */
export const isHostBridge = ({ forward }: Pick<Network, 'forward'>): boolean => forward.mode === 'bridge';
