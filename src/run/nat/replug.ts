/** The taps of VMs that run are ports of their network's bridge again. */
import { QlaunchError } from '../../errors.ts';
import { readFacts } from '../../host/facts.ts';
import { type NatPlaces, readPorts } from '../../host/nat/places.ts';
import { linkNamed } from '../../plan/facts.ts';
import { lostPorts } from '../../plan/nat/ports.ts';
import type { Engine } from '../engine.ts';
import { amendNetwork } from './amend.ts';

export interface Replugged {
  /** Taps. */
  readonly plugged: readonly string[];
  /** What stays unplugged, and why. */
  readonly notes: readonly string[];
}

/** Under the host lock. One that can not be plugged in is in the way of no other one. */
export async function plugAgain(
  engine: Engine,
  places: NatPlaces,
  name: string,
  bridge: string,
): Promise<Replugged> {
  const ports = readPorts(places, name);
  if (ports.length === 0) return { plugged: [], notes: [] };
  const facts = await readFacts(engine.machine, engine.newToken());
  const link = linkNamed(facts, bridge);
  if (link?.kind !== 'bridge') return { plugged: [], notes: [] };
  const plugged: string[] = [];
  const notes: string[] = [];
  for (const { port, fact, steps, cure } of lostPorts(ports, link, facts)) {
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
