/** `net autostart`: which networks start at boot, and starting them. */
import { runsSystemd } from '../../host/nat/autostart.ts';
import { marked, type NatPlaces } from '../../host/nat/places.ts';
import { ownArgv } from '../../host/program.ts';
import type { HostFacts } from '../../plan/facts.ts';
import { planAutostart, planNoAutostart } from '../../plan/nat/autostart.ts';
import type { Plan } from '../../plan/step.ts';
import { apply } from '../apply.ts';
import type { Engine } from '../engine.ts';
import { type Definition, defineBuiltIn, definitionOf } from './definitions.ts';
import { startNetwork } from './start.ts';

export function autostartPlan(places: NatPlaces, name: string): Plan<HostFacts> {
  const paths = places.autostart(name);
  return planAutostart(runsSystemd() ? { paths, program: ownArgv() } : { paths });
}

export function noAutostartPlan(places: NatPlaces, name: string): Plan<HostFacts> {
  const isLast = marked(places).every((one) => one === name);
  return planNoAutostart(places.autostart(name), isLast && runsSystemd());
}

/** For good; the built-in network is defined by it. */
export async function autostart(engine: Engine, places: NatPlaces, definition: Definition): Promise<void> {
  if (definition.builtIn === true) await defineBuiltIn(engine, places, definition);
  const { name } = definition.network;
  const order = { title: `net autostart ${name}`, lifetime: { permanent: true } } as const;
  await apply(engine, order, () => autostartPlan(places, name));
}

export async function noAutostart(engine: Engine, places: NatPlaces, name: string): Promise<void> {
  const order = { title: `net autostart ${name} --disable`, lifetime: { permanent: true } } as const;
  await apply(engine, order, () => noAutostartPlan(places, name));
}

export interface Boot {
  readonly name: string;
  /** What went wrong; the others are started all the same. */
  readonly failure?: unknown;
}

/** What the boot calls. */
export async function startMarked(engine: Engine, places: NatPlaces): Promise<readonly Boot[]> {
  const all: Boot[] = [];
  for (const name of marked(places)) {
    try {
      await startNetwork(engine, places, await definitionOf(engine, places, name));
      all.push({ name });
    } catch (failure) {
      all.push({ name, failure });
    }
  }
  return all;
}
