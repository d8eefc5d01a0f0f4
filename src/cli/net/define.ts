/** qlaunch net define | undefine | dumpxml */
import { EXIT, QlaunchError } from '../../errors.ts';
import { readDefinitionFile } from '../../host/nat/definition-file.ts';
import { definedNames, marked } from '../../host/nat/places.ts';
import { identity } from '../../host/vm/user.ts';
import type { HostFacts } from '../../plan/facts.ts';
import { planDefine, planUndefine } from '../../plan/nat/define.ts';
import { noAutostart, noAutostartPlan } from '../../run/nat/autostart.ts';
import {
  definitionOf,
  undefine as forget,
  define as keep,
  prepareDefinition,
} from '../../run/nat/definitions.ts';
import { noNetwork } from '../../run/nat/names.ts';
import { plannedStop } from '../../run/nat/start.ts';
import { lookAtNetworks } from '../../run/nat/state.ts';
import { requireRoot } from '../root.ts';
import { advise, json, note, out, raw } from '../terminal.ts';
import { context, ROOTS, type Show, showPlan } from './context.ts';

export async function define(file: string, options: Show): Promise<number> {
  const { engine, places } = context();
  const text = readDefinitionFile(file, identity(process.env));
  const definition = await prepareDefinition(engine, places, text, file === '-' ? 'stdin' : file);
  const { network, warnings } = definition;
  const { name, bridge, uuid, mac } = network;
  for (const line of warnings) note(`qlaunch: ${file}: ${line}`);
  if (options.dryRun === true) {
    showPlan(planDefine(places.definition(name), definition.xml), options);
    return EXIT.ok;
  }
  requireRoot(ROOTS);
  await keep(engine, places, definition);
  const runs = (await lookAtNetworks(engine, places)).some((active) => active.name === name);
  const path = places.definition(name).file;
  if (options.json === true) json({ name, uuid, bridge: bridge.name, mac, path, warnings, active: runs });
  else
    advise(
      [
        `network ${name} is defined (${path})`,
        runs
          ? `  it runs as it was: sudo qlaunch net restart ${name}`
          : `  start  sudo qlaunch net start ${name}`,
      ].join('\n'),
    );
  return EXIT.ok;
}

export async function undefine(name: string, options: Show): Promise<number> {
  const { engine, places } = context();
  if (!definedNames(places).includes(name)) throw noNetwork(name, definedNames(places));
  const isActive = (await lookAtNetworks(engine, places)).some((active) => active.name === name);
  // Its bridge may be gone, and all else of it not.
  if (isActive || plannedStop(engine, name).length > 0)
    throw new QlaunchError('QL_NET_ACTIVE', EXIT.refused, {
      what: `the network ${name} is started`,
      ...(isActive ? {} : { why: ['its bridge is gone, and the rest of it is still there'] }),
      todo: [`sudo qlaunch net stop ${name}`],
    });
  const atBoot = marked(places).includes(name);
  if (options.dryRun === true) {
    const { steps } = planUndefine<HostFacts>(places.definition(name), places.paths(name).leases);
    showPlan({ steps: [...(atBoot ? noAutostartPlan(places, name).steps : []), ...steps] }, options);
    return EXIT.ok;
  }
  requireRoot(ROOTS);
  // A boot must not bring back, or look for, what is forgotten.
  if (atBoot) await noAutostart(engine, places, name);
  await forget(engine, places, name);
  if (options.json === true) json({ name });
  else out(`network ${name} is forgotten`);
  return EXIT.ok;
}

export async function dumpxml(name: string): Promise<number> {
  const { engine, places } = context();
  raw((await definitionOf(engine, places, name)).xml);
  return EXIT.ok;
}
