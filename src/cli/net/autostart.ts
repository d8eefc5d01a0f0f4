/** qlaunch net autostart */
import { EXIT, QlaunchError } from '../../errors.ts';
import { runsSystemd } from '../../host/nat/autostart.ts';
import { marked } from '../../host/nat/places.ts';
import { ownArgv } from '../../host/program.ts';
import type { HostFacts } from '../../plan/facts.ts';
import { bootHint } from '../../plan/nat/autostart.ts';
import { planDefine } from '../../plan/nat/define.ts';
import {
  autostartPlan,
  autostart as mark,
  noAutostart,
  noAutostartPlan,
  startMarked,
} from '../../run/nat/autostart.ts';
import { definitionOf } from '../../run/nat/definitions.ts';
import { requireRoot } from '../root.ts';
import { fail, json, note, out } from '../terminal.ts';
import { requireTrusted } from '../trusted.ts';
import { context, ROOTS, type Show, showPlan } from './context.ts';

export interface AutostartOptions extends Show {
  readonly disable?: boolean;
  readonly start?: boolean;
}

export async function autostart(name: string | undefined, options: AutostartOptions): Promise<number> {
  if (name === undefined) return options.start === true ? boot(options) : list(options);
  const { engine, places } = context();
  if (options.disable === true) {
    if (!marked(places).includes(name))
      throw new QlaunchError('QL_NET_AUTOSTART', EXIT.refused, {
        what: `the network ${name} does not start at boot`,
        todo: ['qlaunch net autostart'],
      });
    if (options.dryRun === true) showPlan(noAutostartPlan(places, name), options);
    else {
      requireRoot(ROOTS);
      await noAutostart(engine, places, name);
      if (options.json === true) json({ name, autostart: false });
      else out(`network ${name} does not start at boot any more`);
    }
    return EXIT.ok;
  }
  const definition = await definitionOf(engine, places, name);
  if (runsSystemd()) requireTrusted([ownArgv()], 'this qlaunch at every boot');
  if (options.dryRun === true) {
    const { builtIn, xml } = definition;
    const define = builtIn === true ? planDefine<HostFacts>(places.definition(name), xml).steps : [];
    showPlan({ steps: [...define, ...autostartPlan(places, name).steps] }, options);
    return EXIT.ok;
  }
  requireRoot(ROOTS);
  await mark(engine, places, definition);
  if (options.json === true) json({ name, autostart: true, systemd: runsSystemd() });
  else out(`network ${name} starts at boot`);
  if (!runsSystemd())
    note(['qlaunch: no systemd runs here; let the boot call it:', ...bootHint(ownArgv())].join('\n  '));
  return EXIT.ok;
}

function list(options: Show): number {
  const names = marked(context().places);
  if (options.json === true) json(names);
  else if (names.length === 0) note('no network starts at boot');
  else out(names.join('\n'));
  return EXIT.ok;
}

/** What the boot calls: the status of the worst. */
async function boot(options: Show): Promise<number> {
  requireRoot(ROOTS);
  const { engine, places } = context();
  const all = await startMarked(engine, places);
  const statuses = all.map(({ name, failure }) => {
    if (failure === undefined) return EXIT.ok;
    note(`qlaunch: network ${name} is not started:`);
    return fail(failure);
  });
  if (options.json === true) json(all.map(({ name, failure }) => ({ name, started: failure === undefined })));
  return Math.max(EXIT.ok, ...statuses);
}
