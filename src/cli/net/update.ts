/** qlaunch net update: which guest always gets which address, and names. */
import { EXIT, QlaunchError } from '../../errors.ts';
import type { HostFacts } from '../../plan/facts.ts';
import { planDefine } from '../../plan/nat/define.ts';
import { definitionOf, prepareDefinition } from '../../run/nat/definitions.ts';
import { proveStart } from '../../run/nat/prove.ts';
import { liveSteps, updateNetwork } from '../../run/nat/update.ts';
import { readIp } from '../../spec/ip.ts';
import { parseMac } from '../../spec/mac.ts';
import { readNetwork } from '../../spec/nat/read.ts';
import { editDefinition, type HostEdit, type NameEdit } from '../../spec/nat/static-hosts.ts';
import { isProblem, type Problem } from '../../spec/raw.ts';
import { requireRoot } from '../root.ts';
import { advise, json } from '../terminal.ts';
import { context, ROOTS, type Show, showPlan } from './context.ts';

export interface UpdateOptions extends Show {
  readonly host?: readonly string[];
  readonly removeHost?: readonly string[];
  readonly dnsHost?: readonly string[];
  readonly removeDnsHost?: readonly string[];
}

export async function update(name: string, options: UpdateOptions): Promise<number> {
  const edits = [...(options.removeHost ?? []).map(removal), ...(options.host ?? []).map(addition)];
  const named = [...(options.removeDnsHost ?? []).map(noNames), ...(options.dnsHost ?? []).map(names)];
  const wrong = [...edits, ...named].filter(isProblem);
  if (wrong.length > 0 || edits.length + named.length === 0) throw notAnEdit(wrong);
  const { engine, places } = context();
  const { xml } = await definitionOf(engine, places, name);
  const text = editDefinition(readNetwork(xml, name).document, {
    hosts: edits.filter((edit): edit is HostEdit => !isProblem(edit)),
    names: named.filter((edit): edit is NameEdit => !isProblem(edit)),
  });
  if (typeof text !== 'string')
    throw new QlaunchError('QL_NET_SPEC', EXIT.refused, {
      what: `the network ${name} can not be changed so`,
      why: [`${text.at}: ${text.what}`],
      todo: [`qlaunch net dumpxml ${name}`],
    });
  const definition = await prepareDefinition(engine, places, text, `the network ${name}, changed`);
  if (options.dryRun === true) {
    const { steps, after } = await liveSteps(engine, places, definition);
    await proveStart(engine, name, places.paths(name), steps);
    const define = planDefine<HostFacts>(places.definition(name), definition.xml).steps;
    showPlan({ steps: [...define, ...steps, ...after] }, options);
    return EXIT.ok;
  }
  requireRoot(ROOTS);
  const { effect, waits } = await updateNetwork(engine, places, definition);
  if (options.json === true) json({ name, effect, ...(waits.length === 0 ? {} : { waits }) });
  else {
    const known = ', and its dnsmasq knows: names at once, guests their address with the next lease';
    const others = waits.length === 0 ? 'something else of it' : waits.join('; ');
    const later = `\n  ${others}: waits for  sudo qlaunch net restart ${name}`;
    const isLater = effect === 'later' || waits.length > 0;
    advise(`network ${name} is changed${effect === 'now' ? known : ''}${isLater ? later : ''}`);
  }
  return EXIT.ok;
}

/** MAC,IP[,NAME] or MAC,NAME */
function addition(text: string): HostEdit | Problem {
  const [first = '', ...words] = text.split(',').map((word) => word.trim());
  const mac = parseMac(first, '--host');
  if (isProblem(mac)) return mac;
  const ip = words.find((word) => /^[0-9.]+$/.test(word));
  const names = words.filter((word) => word !== ip);
  if (words.length === 0 || names.length > 1)
    return { at: '--host', what: `"${text}" does not say what it gets`, hint: 'write MAC,IP or MAC,IP,NAME' };
  const [name] = names;
  return { mac, put: { ...(ip === undefined ? {} : { ip }), ...(name === undefined ? {} : { name }) } };
}

function removal(text: string): HostEdit | Problem {
  const mac = parseMac(text, '--remove-host');
  return isProblem(mac) ? mac : { mac };
}

/** IP,NAME[,NAME…] */
function names(text: string): NameEdit | Problem {
  const [ip = '', ...all] = text.split(',').map((word) => word.trim());
  const what = `"${text}" is not an address with its names`;
  if (readIp(ip) === undefined || all.length === 0) return { at: '--dns-host', what, hint: 'write IP,NAME' };
  return { ip, names: all };
}

function noNames(text: string): NameEdit | Problem {
  if (readIp(text) !== undefined) return { ip: text, names: [] };
  return { at: '--remove-dns-host', what: `"${text}" is not an address` };
}

function notAnEdit(problems: readonly Problem[]): QlaunchError {
  return new QlaunchError('QL_USAGE', EXIT.usage, {
    what: problems.length === 0 ? 'nothing to change was named' : 'cannot change the network so',
    why: problems.map(({ at, what, hint }) => `${at}: ${what}${hint === undefined ? '' : ` (${hint})`}`),
    todo: ['qlaunch net update lab --host 52:54:00:00:00:01,192.168.50.10,web'],
  });
}
