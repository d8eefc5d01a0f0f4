/** A network whose definition is complete: `define` has filled in what the user left open. */
import type { Mac } from '../../spec/mac.ts';
import type { Network, NetworkBridge } from '../../spec/nat/network.ts';

export interface DefinedNetwork extends Network {
  readonly bridge: NetworkBridge & { readonly name: string };
  readonly mac: Mac;
}

export function isDefined(network: Network): network is DefinedNetwork {
  return network.mac !== undefined && network.bridge.name !== undefined;
}
