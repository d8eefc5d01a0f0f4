/** What every `net` command works with. */
import { type NatPlaces, natPlaces } from '../../host/nat/places.ts';
import type { HostFacts } from '../../plan/facts.ts';
import { planJson, renderPlan } from '../../plan/render.ts';
import type { Plan } from '../../plan/step.ts';
import type { Engine } from '../../run/engine.ts';
import { type ActiveNetwork, lookAtNetworks, mend } from '../../run/nat/state.ts';
import { openEngine } from '../../run/open-engine.ts';
import type { OpenChange } from '../../run/recover.ts';
import { changeJson, renderPlanned } from '../changes.ts';
import { json, note, out } from '../terminal.ts';

declare const QLAUNCH_VERSION: string;

export interface Show {
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

export function context(): { engine: Engine; places: NatPlaces } {
  return { engine: openEngine({ tool: `qlaunch ${QLAUNCH_VERSION}` }), places: natPlaces(process.env) };
}

export const ROOTS = 'only root may change the networks of this host';

export function showPlan(plan: Plan<HostFacts>, options: Show): void {
  if (options.json === true) json(planJson(plan));
  else out(renderPlan(plan).trimEnd());
}

/** With what is taken back before: its undo is printed as it stands in the journal. */
export function showChange(taken: readonly OpenChange[], plan: Plan<HostFacts>, options: Show): void {
  if (taken.length === 0) showPlan(plan, options);
  else if (options.json === true) json({ stop: taken.map(changeJson), ...planJson(plan) });
  else out(`${renderPlanned(taken)}\n${renderPlan(plan).trimEnd()}`);
}

/** What runs now. A dnsmasq that was killed is started again by whoever may, and that is said. */
export async function activeNow(): Promise<readonly ActiveNetwork[]> {
  const { engine, places } = context();
  const active = await lookAtNetworks(engine, places);
  if (process.geteuid?.() !== 0) return active;
  const said = await mend(places, active);
  for (const line of said) note(`qlaunch: ${line}`);
  return said.length === 0 ? active : lookAtNetworks(engine, places);
}
