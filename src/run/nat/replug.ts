/** The taps of VMs that run are ports of their network's bridge again. */
import { QlaunchError } from '../../errors.ts';
import { readFacts } from '../../host/facts.ts';
import { bridgeTables } from '../../host/nat/forwards.ts';
import { helperTaps } from '../../host/nat/helper-taps.ts';
import { type NatPlaces, readPorts } from '../../host/nat/places.ts';
import { livePorts } from '../../host/nat/ports.ts';
import { type HostFacts, type LinkFact, linkNamed } from '../../plan/facts.ts';
import type { NetFinding } from '../../plan/nat/check.ts';
import { limitFindings } from '../../plan/nat/limits.ts';
import type { LivePort } from '../../plan/nat/live-port.ts';
import { type LostPort, lostHelperPort, lostPorts } from '../../plan/nat/ports.ts';
import type { NatStatus } from '../../plan/nat/start.ts';
import type { Engine } from '../engine.ts';
import { amendNetwork } from './amend.ts';

export interface Replugged {
  /** Taps. */
  readonly plugged: readonly string[];
  /** What stays unplugged, and why. */
  readonly notes: readonly string[];
}

/** Of VMs of ours, and of guests whose taps the bridge helper made. */
export function lostNow(
  places: NatPlaces,
  { name, isolated }: { readonly name: string; readonly isolated?: boolean },
  bridge: LinkFact,
  facts: HostFacts,
  live?: ReadonlyMap<string, LivePort>,
): readonly LostPort[] {
  const byHelper = helperTaps(bridge.ifname, facts.links).map((tap) =>
    lostHelperPort({ ...tap, network: name, isolated: isolated === true }, bridge, facts),
  );
  return [...lostPorts(readPorts(places, name), bridge, facts, live), ...byHelper];
}

/** What keeps guests of the network from each other, as it is now; undefined: nothing should. */
export async function liveNow(
  engine: Engine,
  places: NatPlaces,
  name: string,
  bridge: string,
): Promise<ReadonlyMap<string, LivePort> | undefined> {
  const ports = readPorts(places, name);
  const withVlans = ports.some(({ vlan, trunk }) => vlan !== undefined || trunk !== undefined);
  const isApart = withVlans || ports.some(({ isolated }) => isolated === true);
  return isApart ? livePorts(engine.machine, bridge, withVlans) : undefined;
}

/** Before they are ports again. */
export async function limitsLost(
  engine: Engine,
  places: NatPlaces,
  name: string,
  facts: HostFacts,
): Promise<readonly NetFinding[]> {
  const ports = readPorts(places, name).filter(({ rate }) => rate?.fromGuest !== undefined);
  const live = ports.length === 0 ? undefined : await bridgeTables(engine.machine);
  return live === undefined ? [] : limitFindings(name, ports, live, facts);
}

/**
 * Under the host lock. One that can not be plugged in is in the way of no other one.
 * @param before the bridge was made: most often nobody waits for it, and then nothing more is looked at
 */
export async function plugAgain(
  engine: Engine,
  places: NatPlaces,
  network: Pick<NatStatus, 'name' | 'bridge' | 'isolated'>,
  before: HostFacts,
): Promise<Replugged> {
  const { name, bridge } = network;
  const isFree = ({ tun, master }: LinkFact): boolean => tun !== undefined && master === undefined;
  if (readPorts(places, name).length === 0 && !before.links.some(isFree)) return { plugged: [], notes: [] };
  const facts = await readFacts(engine.machine, engine.newToken());
  const link = linkNamed(facts, bridge);
  if (link?.kind !== 'bridge') return { plugged: [], notes: [] };
  for (const { fix } of await limitsLost(engine, places, name, facts))
    if (fix !== undefined && 'steps' in fix)
      await amendNetwork(engine, name, `limit what guests of ${name} send`, fix.steps);
  const live = await liveNow(engine, places, name, bridge);
  const plugged: string[] = [];
  const notes: string[] = [];
  for (const { port, fact, steps, cure } of lostNow(places, network, link, facts, live)) {
    if (steps.length === 0) {
      notes.push([fact, ...cure].join('; try: '));
      continue;
    }
    try {
      await amendNetwork(engine, name, `plug ${port.tap} into ${bridge}`, steps);
      plugged.push(port.tap);
    } catch (error) {
      if (!(error instanceof QlaunchError)) throw error;
      notes.push(`${fact}: ${[error.message, ...error.why].join(': ')}`);
    }
  }
  return { plugged, notes };
}
