/** qlaunch net start | stop | restart */
import { EXIT } from '../../errors.ts';
import type { DnsChoice } from '../../plan/nat/name-server.ts';
import { planJson, renderPlan } from '../../plan/render.ts';
import { definitionOf } from '../../run/nat/definitions.ts';
import { restartNetwork } from '../../run/nat/restart.ts';
import {
  plannedStop,
  previewStart,
  requireStoppable,
  startNetwork,
  stopNetwork,
} from '../../run/nat/start.ts';
import { lookAtNetworks } from '../../run/nat/state.ts';
import { changeJson, planned, renderPlanned, told } from '../changes.ts';
import { requireRoot } from '../root.ts';
import { advise, json, note, out } from '../terminal.ts';
import { allow, allowedOf, plannedAllow } from './allow.ts';
import { activeNow, context, ROOTS, type Show, showPlan } from './context.ts';

export interface StartOptions extends Show {
  readonly allow?: string;
  readonly dns?: DnsChoice;
}

export async function start(name: string, options: StartOptions): Promise<number> {
  const { engine, places } = context();
  const definition = await definitionOf(engine, places, name);
  const { network } = definition;
  const allowed = options.allow === undefined ? undefined : allowedOf(options.allow, network.bridge.name);
  if (options.dryRun === true) {
    const { steps } = await previewStart(engine, places, definition);
    const grants = allowed === undefined ? [] : await plannedAllow(allowed);
    showPlan({ steps: [...steps, ...grants] }, options);
    return EXIT.ok;
  }
  requireRoot(ROOTS);
  await activeNow();
  const { made, opened, notes } = await startNetwork(engine, places, definition, options.dns);
  for (const line of opened) note(`qlaunch: ${line}; opened while ${name} runs`);
  for (const line of notes) note(`qlaunch: ${line}`);
  const active = (await activeNow()).find((one) => one.name === name);
  if (options.json === true) json(active ?? null);
  else
    advise(
      [
        `network ${name} ${made ? 'is started' : 'was started already'}: ${[network.bridge.name, ...(active?.addresses ?? [])].join(', ')}`,
        `  use    sudo qlaunch IMAGE --net nat${name === 'default' ? '' : `:${name}`}`,
        `  stop   sudo qlaunch net stop ${name}`,
      ].join('\n'),
    );
  return allowed === undefined ? EXIT.ok : allow(engine, options.allow ?? '', allowed);
}

export async function restart(name: string, options: StopOptions): Promise<number> {
  const { engine, places } = context();
  // Before anything is stopped: whether it can be started again.
  const definition = await definitionOf(engine, places, name);
  const active = (await lookAtNetworks(engine, places)).find((one) => one.name === name);
  if (active !== undefined) await requireStoppable(engine, places, name, options.force === true);
  if (options.dryRun === true) {
    const { steps } = await previewStart(engine, places, definition, active?.bridge);
    if (options.json === true)
      json({ stop: plannedStop(engine, name).map(changeJson), ...planJson({ steps }) });
    else out(`${renderPlanned(plannedStop(engine, name))}\n${renderPlan({ steps }).trimEnd()}`);
    return EXIT.ok;
  }
  requireRoot(ROOTS);
  const { left, plugged } = await restartNetwork(engine, places, definition);
  if (left !== undefined) return told(left, options);
  const now = (await activeNow()).find((one) => one.name === name);
  if (options.json === true) json(now ?? null);
  else {
    out(`network ${name} is started anew: ${now?.bridge}, ${now?.addresses.join(', ')}`);
    if (plugged.length > 0) out(`  plugged in again  ${plugged.join(', ')}`);
  }
  return EXIT.ok;
}

export interface StopOptions extends Show {
  readonly force?: boolean;
}

export async function stop(name: string, options: StopOptions): Promise<number> {
  const { engine, places } = context();
  if (options.dryRun !== true) requireRoot(ROOTS);
  await requireStoppable(engine, places, name, options.force === true);
  if (options.dryRun === true) return planned(plannedStop(engine, name), options);
  return told(await stopNetwork(engine, places, name), options);
}
