/** A network is stopped and started, and whoever was plugged in is plugged in again. */

import { type NatPlaces, readPorts } from '../../host/nat/places.ts';
import { portsOf } from '../../host/nat/ports.ts';
import { type HostFacts, linkNamed } from '../../plan/facts.ts';
import { type PortBefore, planReplug } from '../../plan/nat/replug.ts';
import type { Plan } from '../../plan/step.ts';
import { apply } from '../apply.ts';
import type { Engine } from '../engine.ts';
import type { Recovered } from '../recover.ts';
import type { Definition } from './definitions.ts';
import { proveStart } from './prove.ts';
import { previewStart, startNetwork, stopNetwork } from './start.ts';
import { type ActiveNetwork, lookAtNetworks } from './state.ts';

export interface Restarted {
  /** It could not be stopped wholly, and was not started. */
  readonly left?: Recovered;
  readonly plugged: readonly string[];
  /** As of a start. */
  readonly notes: readonly string[];
}

/**
 * What --dry-run shows, behind what is taken back. Errors: those of a start which is seen to fail, with nothing touched:
 * QL_SUBNET_TAKEN, QL_LINK_EXISTS, QL_NET_ZONE, QL_NET_IPV6, QL_DNSMASQ_CONF, …
 */
export async function previewRestart(
  engine: Engine,
  places: NatPlaces,
  definition: Definition,
): Promise<Plan<HostFacts>> {
  const { name, bridge } = definition.network;
  const { active, ports } = await before(engine, places, name);
  // The host's own bridge stays.
  const stopped = active?.mode === 'bridge' ? undefined : active?.bridge;
  const { steps } = await previewStart(engine, places, definition, stopped, active?.as);
  await proveStart(engine, name, places.paths(name), steps);
  return { steps: [...steps, ...planReplug<HostFacts>(bridge.name, ports).steps] };
}

async function before(
  engine: Engine,
  places: NatPlaces,
  name: string,
): Promise<{ readonly active?: ActiveNetwork; readonly ports: readonly PortBefore[] }> {
  const active = (await lookAtNetworks(engine, places)).find((one) => one.name === name);
  if (active === undefined) return { ports: [] };
  if (active.mode === 'bridge') return { active, ports: [] };
  // Taps of ours are known to the start.
  const known = new Set(readPorts(places, name).map(({ tap }) => tap));
  const ports = await portsOf(engine.machine, active.bridge);
  return { active, ports: ports.filter(({ ifname }) => !known.has(ifname)) };
}

/** As it was started. Errors as previewRestart(), and then nothing is stopped; as startNetwork(), and then it is. */
export async function restartNetwork(
  engine: Engine,
  places: NatPlaces,
  definition: Definition,
): Promise<Restarted> {
  const { name, bridge } = definition.network;
  await previewRestart(engine, places, definition);
  const { active, ports } = await before(engine, places, name);
  const stopped = await stopNetwork(engine, places, name);
  if (stopped.left.length > 0) return { left: stopped, plugged: [], notes: [] };
  const { plugged: known, notes } = await startNetwork(engine, places, definition, active?.as);
  const order = { title: `net restart ${name}`, lifetime: { net: name }, holder: 'until-undone' } as const;
  const plugged = [...known];
  await apply(engine, order, (facts) => {
    const there = ports.filter(({ ifname }) => linkNamed(facts, ifname) !== undefined);
    plugged.push(...there.map(({ ifname }) => ifname).filter((ifname) => !known.includes(ifname)));
    return planReplug(bridge.name, there);
  });
  return { plugged, notes };
}
