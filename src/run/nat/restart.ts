/** A network is stopped and started, and whoever was plugged in is plugged in again. */

import type { NatPlaces } from '../../host/nat/places.ts';
import { portsOf } from '../../host/nat/ports.ts';
import { linkNamed } from '../../plan/facts.ts';
import { planReplug } from '../../plan/nat/replug.ts';
import { apply } from '../apply.ts';
import type { Engine } from '../engine.ts';
import type { Recovered } from '../recover.ts';
import type { Definition } from './definitions.ts';
import { startNetwork, stopNetwork } from './start.ts';
import { lookAtNetworks } from './state.ts';

export interface Restarted {
  /** It could not be stopped wholly, and was not started. */
  readonly left?: Recovered;
  readonly plugged: readonly string[];
}

/** Errors as startNetwork(); then it is stopped. */
export async function restartNetwork(
  engine: Engine,
  places: NatPlaces,
  definition: Definition,
): Promise<Restarted> {
  const { name, bridge } = definition.network;
  const active = (await lookAtNetworks(engine, places)).find((one) => one.name === name);
  const stays = active === undefined || active.mode === 'bridge';
  const ports = stays ? [] : await portsOf(engine.machine, active.bridge);
  const stopped = await stopNetwork(engine, places, name);
  if (stopped.left.length > 0) return { left: stopped, plugged: [] };
  await startNetwork(engine, places, definition);
  const order = { title: `net restart ${name}`, lifetime: { net: name }, holder: 'until-undone' } as const;
  const plugged: string[] = [];
  await apply(engine, order, (facts) => {
    const there = ports.filter(({ ifname }) => linkNamed(facts, ifname) !== undefined);
    plugged.push(...there.map(({ ifname }) => ifname));
    return planReplug(bridge.name, there);
  });
  return { plugged };
}
