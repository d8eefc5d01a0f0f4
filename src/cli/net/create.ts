/** qlaunch net create | edit: a definition without writing XML, and with an editor. */
import { EXIT, QlaunchError } from '../../errors.ts';
import { edit as openEditor } from '../../host/nat/editor.ts';
import { readNatFacts } from '../../host/nat/facts.ts';
import { definedNames } from '../../host/nat/places.ts';
import { planDefine } from '../../plan/nat/define.ts';
import { freeSubnet } from '../../plan/nat/facts.ts';
import { shellWord } from '../../plan/shell.ts';
import { type Definition, define, definitionOf, prepareDefinition } from '../../run/nat/definitions.ts';
import { lookAtNetworks } from '../../run/nat/state.ts';
import { type Cidr, parseCidr } from '../../spec/cidr.ts';
import { type Ip, readIp } from '../../spec/ip.ts';
import { type Composition, composeNetwork } from '../../spec/nat/compose.ts';
import { readNetwork } from '../../spec/nat/read.ts';
import { parseBridgeName, parseDomain, parseNetworkName } from '../../spec/nat/words.ts';
import { parseChoice, parseWhole } from '../../spec/number.ts';
import { Gathering, type Problem } from '../../spec/raw.ts';
import { requireRoot } from '../root.ts';
import { advise, json, note, out, raw } from '../terminal.ts';
import { context, ROOTS, type Show, showPlan } from './context.ts';

export interface CreateOptions extends Show {
  readonly subnet?: string;
  readonly mode?: string;
  readonly domain?: string;
  /** "FIRST,LAST"; false: --no-dhcp */
  readonly dhcpRange?: string;
  readonly dhcp?: boolean;
  readonly bridge?: string;
  readonly dev?: string;
  readonly mtu?: string;
}

export async function create(name: string, options: CreateOptions): Promise<number> {
  const { engine, places } = context();
  const free =
    options.subnet === undefined
      ? freeSubnet(await readNatFacts(engine.machine, engine.newToken()))
      : undefined;
  const text = composeNetwork(wishOf(name, options, free));
  if (definedNames(places).includes(name))
    throw new QlaunchError('QL_NET_EXISTS', EXIT.refused, {
      what: `there is a network ${name} already`,
      todo: [`sudo qlaunch net edit ${name}`, `qlaunch net dumpxml ${name}`],
    });
  const definition = await prepareDefinition(engine, places, text, `net create ${name}`);
  if (options.dryRun === true) {
    if (options.json === true) json({ name, xml: definition.xml });
    else raw(definition.xml);
    return EXIT.ok;
  }
  requireRoot(ROOTS);
  await define(engine, places, definition);
  return told(definition, places.definition(name).file, false, options);
}

const MODES = ['nat', 'route', 'open', 'isolated'] as const;

/** All mistakes at once. Throws QL_USAGE. */
function wishOf(name: string, options: CreateOptions, free: Cidr | undefined): Composition {
  const gathering = new Gathering();
  const take = <T>(
    text: string | undefined,
    at: string,
    reader: (text: string, at: string) => T | Problem,
  ): T | undefined => (text === undefined ? undefined : gathering.take(reader(text, at)));
  take(name, 'NAME', parseNetworkName);
  const mode = take(options.mode ?? 'nat', '--mode', (text, at) => parseChoice(text, at, MODES));
  const domain = take(options.domain, '--domain', parseDomain);
  const bridge = take(options.bridge, '--bridge', parseBridgeName);
  const mtu = take(options.mtu, '--mtu', (text, at) => parseWhole(text, at, 68, 65_535));
  const subnet = take(options.subnet, '--subnet', parseSubnet);
  const range = take(options.dhcpRange, '--dhcp-range', parseRange);
  if (options.subnet === undefined && free === undefined)
    gathering.refuse('--subnet', 'none of the usual subnets is free: name one');
  if (options.dev !== undefined && mode === 'isolated')
    gathering.refuse('--dev', 'an isolated network has no way out');
  const cidr = subnet?.cidr ?? free;
  if (gathering.problems.length > 0 || cidr === undefined || mode === undefined)
    throw new QlaunchError('QL_USAGE', EXIT.usage, {
      what: 'cannot make this network',
      why: gathering.problems.map(
        ({ at, what, hint }) => `${at}: ${what}${hint === undefined ? '' : ` (${hint})`}`,
      ),
      todo: ['qlaunch help net create'],
    });
  return {
    ...{ name, mode, subnet: cidr },
    ...(subnet?.address === undefined ? {} : { address: subnet.address }),
    ...(options.dhcp === false ? { range: null } : range === undefined ? {} : { range }),
    ...(bridge === undefined ? {} : { bridge }),
    ...(options.dev === undefined ? {} : { dev: options.dev }),
    ...(domain === undefined ? {} : { domain }),
    ...(mtu === undefined ? {} : { mtu }),
  };
}

/** 10.0.0.0/24, or with the gateway's address: 10.0.0.254/24. */
function parseSubnet(text: string, at: string): { cidr: Cidr; address?: Ip } | Problem {
  const cidr = parseCidr(text, at);
  if ('what' in cidr) return cidr;
  if (cidr.first.family !== 4 || cidr.prefix > 29)
    return { at, what: `"${text}" is no IPv4 subnet with room for guests`, hint: 'write 192.168.50.0/24' };
  const address = readIp(text.slice(0, text.indexOf('/')));
  return address === undefined || address.value === cidr.first.value ? { cidr } : { cidr, address };
}

function parseRange(text: string, at: string): { start: Ip; end: Ip } | Problem {
  const [start, end] = text.split(/[,-]/).map((word) => readIp(word.trim()));
  if (start !== undefined && end !== undefined) return { start, end };
  return { at, what: `"${text}" is not a range of addresses`, hint: 'write 192.168.50.10,192.168.50.99' };
}

/** Read and checked before it takes the place of the old one. */
export async function edit(name: string, options: Show): Promise<number> {
  const { engine, places } = context();
  if (options.dryRun !== true) requireRoot(ROOTS);
  const { xml } = await definitionOf(engine, places, name);
  const { text, file, forget } = openEditor(`${name}.xml`, xml, process.env);
  if (text === xml) {
    forget();
    note(`the network ${name} stays as it is`);
    return EXIT.ok;
  }
  let definition: Definition;
  try {
    const { network } = readNetwork(text, file);
    if (network.name !== name) throw renamed(name, network.name, file);
    definition = await prepareDefinition(engine, places, text, file);
  } catch (error) {
    if (error instanceof QlaunchError)
      note(`qlaunch: nothing was changed; your text is kept: sudo qlaunch net define ${shellWord(file)}`);
    throw error;
  }
  forget();
  for (const line of definition.warnings) note(`qlaunch: ${line}`);
  if (options.dryRun === true) {
    showPlan(planDefine(places.definition(name), definition.xml), options);
    return EXIT.ok;
  }
  await define(engine, places, definition);
  const runs = (await lookAtNetworks(engine, places)).some((active) => active.name === name);
  return told(definition, places.definition(name).file, runs, options);
}

function renamed(from: string, to: string, file: string): QlaunchError {
  return new QlaunchError('QL_NET_SPEC', EXIT.usage, {
    what: `a network can not be renamed from ${from} to ${to}`,
    todo: [`sudo qlaunch net define ${shellWord(file)}   # as another network`],
  });
}

function told({ network }: Definition, path: string, runs: boolean, options: Show): number {
  const { name, bridge, uuid, mac } = network;
  if (options.json === true) json({ name, uuid, bridge: bridge.name, mac, path, active: runs });
  else {
    out(`network ${name} is defined (${path})`);
    advise(
      runs
        ? `  it runs as it was: sudo qlaunch net restart ${name}`
        : `  start  sudo qlaunch net start ${name}`,
    );
  }
  return EXIT.ok;
}
