/** qlaunch net start | stop | restart */
import { EXIT } from '../../errors.ts';
import type { DnsChoice } from '../../plan/nat/name-server.ts';
import type { StartedAs } from '../../plan/nat/start.ts';
import type { Step } from '../../plan/step.ts';
import { definitionOf } from '../../run/nat/definitions.ts';
import { probeNetwork } from '../../run/nat/probe.ts';
import { previewRestart, restartNetwork } from '../../run/nat/restart.ts';
import {
  plannedStop,
  previewStart,
  requireStoppable,
  startNetwork,
  stopNetwork,
} from '../../run/nat/start.ts';
import { lookAtNetworks } from '../../run/nat/state.ts';
import { planned, told } from '../changes.ts';
import { requireRoot } from '../root.ts';
import { advise, json, note, out } from '../terminal.ts';
import { allow, allowedOf, plannedAllow } from './allow.ts';
import { activeNow, context, ROOTS, type Show, showChange } from './context.ts';

export interface StartOptions extends Show {
  readonly allow?: string;
  readonly dns?: DnsChoice;
  /** --no-probe */
  readonly probe?: boolean;
}

export async function start(name: string, options: StartOptions): Promise<number> {
  const { engine, places } = context();
  const definition = await definitionOf(engine, places, name);
  const { network } = definition;
  const allowed = options.allow === undefined ? undefined : allowedOf(options.allow, network.bridge.name);
  const as: StartedAs = {
    ...(options.dns === undefined || options.dns === 'host' ? {} : { dns: options.dns }),
    ...(options.allow === undefined ? {} : { allow: [options.allow] }),
  };
  if (options.dryRun === true) {
    const runs = (await lookAtNetworks(engine, places)).some((one) => one.name === name);
    const taken = runs ? [] : plannedStop(engine, name);
    const stopped = taken.length === 0 ? undefined : network.bridge.name;
    const steps = runs ? [] : (await previewStart(engine, places, definition, stopped, as)).steps;
    const grants = allowed === undefined ? [] : await plannedAllow(allowed);
    if (runs) note(`network ${name} is started already`);
    showChange(taken, { steps: [...steps, ...grants] }, options);
    return EXIT.ok;
  }
  requireRoot(ROOTS);
  await activeNow();
  const { made, opened, notes, remarks, plugged, cures } = await startNetwork(engine, places, definition, as);
  for (const line of opened) note(`qlaunch: ${line}; opened while ${name} runs`);
  for (const line of notes) note(`qlaunch: ${line}`);
  for (const line of cures) note(`  try: ${line}`);
  const active = (await activeNow()).find((one) => one.name === name);
  // A firewall was opened: whether that was enough is seen by trying.
  if (opened.length > 0 && options.probe !== false && active !== undefined) {
    const tried = await probeNetwork(engine, places, active);
    if (tried !== undefined && tried.state !== 'ok')
      note([`qlaunch: ${tried.fact}`, ...(tried.cure ?? [])].join('\n  try: '));
  }
  if (options.json === true) json(active ?? null);
  else
    advise(
      [
        `network ${name} ${made ? 'is started' : 'was started already'}: ${[network.bridge.name, ...(active?.addresses ?? [])].join(', ')}`,
        ...(plugged.length === 0 ? [] : [`  plugged in again  ${plugged.join(', ')}`]),
        `  use    sudo qlaunch IMAGE --net nat${name === 'default' ? '' : `:${name}`}`,
        `  stop   sudo qlaunch net stop ${name}`,
        ...remarks.map((line) => `  note   ${line}`),
      ].join('\n'),
    );
  return allowed === undefined ? EXIT.ok : allow(engine, options.allow ?? '', allowed);
}

export async function restart(name: string, options: StopOptions): Promise<number> {
  const { engine, places } = context();
  // Before anything is stopped: whether it can be started again.
  const definition = await definitionOf(engine, places, name);
  const active = (await lookAtNetworks(engine, places)).find((one) => one.name === name);
  if (active !== undefined) await requireStoppable(engine, places, name, options.force === true, 'restart');
  const { bridge } = definition.network;
  // What was granted is for a bridge by its name.
  const again = (active?.bridge === bridge.name ? [] : (active?.as?.allow ?? [])).map(
    (key) => [key, allowedOf(key, bridge.name)] as const,
  );
  if (options.dryRun === true) {
    const { steps } = await previewRestart(engine, places, definition);
    const grants: Step[] = [];
    for (const [, wish] of again) grants.push(...(await plannedAllow(wish)));
    showChange(plannedStop(engine, name), { steps: [...steps, ...grants] }, options);
    return EXIT.ok;
  }
  requireRoot(ROOTS);
  const { left, plugged, notes } = await restartNetwork(engine, places, definition);
  if (left !== undefined) return told(left, options);
  for (const line of notes) note(`qlaunch: ${line}`);
  const now = (await activeNow()).find((one) => one.name === name);
  if (options.json === true) json(now ?? null);
  else {
    out(`network ${name} is started anew: ${now?.bridge}, ${now?.addresses.join(', ')}`);
    if (plugged.length > 0) out(`  plugged in again  ${plugged.join(', ')}`);
  }
  const grants: number[] = [];
  for (const [key, wish] of again) grants.push(await allow(engine, key, wish));
  return Math.max(EXIT.ok, ...grants);
}

export interface StopOptions extends Show {
  readonly force?: boolean;
}

export async function stop(name: string, options: StopOptions): Promise<number> {
  const { engine, places } = context();
  if (options.dryRun !== true) requireRoot(ROOTS);
  await requireStoppable(engine, places, name, options.force === true, 'stop');
  if (options.dryRun === true) return planned(plannedStop(engine, name), options);
  return told(await stopNetwork(engine, places, name), options);
}
