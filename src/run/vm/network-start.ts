/** A network that is not there yet, for a VM. Whoever imports this loads the XML library. */
import { natPlaces } from '../../host/nat/places.ts';
import { bridgeToBe, statusOf } from '../../plan/nat/start.ts';
import type { Engine } from '../engine.ts';
import { definitionOf } from '../nat/definitions.ts';
import { previewStart, startNetwork } from '../nat/start.ts';
import type { NetworkStart } from './networks.ts';

/** Errors: QL_NO_NETWORK, QL_NET_SPEC, QL_SUBNET_TAKEN. */
export async function networkStart(
  engine: Engine,
  env: NodeJS.ProcessEnv,
  name: string,
): Promise<NetworkStart> {
  const places = natPlaces(env);
  const definition = await definitionOf(engine, places, name);
  const { network } = definition;
  const { steps } = await previewStart(engine, places, definition);
  return {
    name,
    link: bridgeToBe(network),
    status: statusOf(network),
    preview: steps,
    start: async (by) => void (await startNetwork(by, places, definition)),
  };
}
