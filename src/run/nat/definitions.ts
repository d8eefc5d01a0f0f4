/** The networks of this host, as they are defined. Whoever imports this loads the XML library. */
import { randomBytes, randomUUID } from 'node:crypto';
import { EXIT, QlaunchError } from '../../errors.ts';
import { hasLibvirt, readNatFacts } from '../../host/nat/facts.ts';
import { definedNames, type NatPlaces, readDefinition } from '../../host/nat/places.ts';
import { machineId } from '../../host/vm/macs.ts';
import type { HostFacts } from '../../plan/facts.ts';
import { DEFAULT, defaultXml, freeBridge } from '../../plan/nat/default.ts';
import { planDefine, planUndefine } from '../../plan/nat/define.ts';
import { type DefinedNetwork, isDefined, isHostBridge } from '../../plan/nat/defined.ts';
import type { NatFacts } from '../../plan/nat/facts.ts';
import { shellWord } from '../../plan/shell.ts';
import type { FilePath } from '../../plan/step.ts';
import { fillIn } from '../../spec/nat/fill.ts';
import { type ReadNetwork, readNetwork } from '../../spec/nat/read.ts';
import { apply } from '../apply.ts';
import { execute } from '../change/execute.ts';
import type { Engine } from '../engine.ts';
import { noNetwork } from './names.ts';

export interface Definition {
  readonly network: DefinedNetwork;
  readonly xml: string;
  readonly warnings: readonly string[];
  /** Nobody has defined it: it is the built-in one. */
  readonly builtIn?: true;
}

/** Throws QL_NO_NETWORK (exit 2); QL_NET_SPEC when somebody wrote nonsense into the file. */
export async function definitionOf(engine: Engine, places: NatPlaces, name: string): Promise<Definition> {
  const text = readDefinition(places, name);
  if (text !== undefined) return written(places, name, text);
  if (name !== DEFAULT) throw noNetwork(name, definedNames(places));
  const facts = await readNatFacts(engine.machine, engine.newToken());
  const xml = defaultXml(facts, await hasLibvirt(engine.machine), machineId() || facts.token);
  return { ...complete(xml, 'the built-in network', facts, places), builtIn: true };
}

function written(places: NatPlaces, name: string, text: string): Definition {
  const { file } = places.definition(name);
  return whole(readNetwork(text, file), text, file);
}

/** @param file where it is kept */
function whole({ network, warnings }: ReadNetwork, xml: string, file: FilePath): Definition {
  if (isDefined(network)) return { network, warnings, xml };
  throw new QlaunchError('QL_NET_SPEC', EXIT.usage, {
    what: `the definition of the network ${network.name} is not complete`,
    why: ['somebody took its bridge or its MAC out of the file'],
    todo: [
      `sudo qlaunch net define ${shellWord(file)}   # fills in new ones, or put them back into it before`,
    ],
  });
}

/** What the text leaves open is what the network has had so far, else new. Errors: QL_NET_XML, QL_NET_SPEC, QL_NET_BRIDGE. */
export async function prepareDefinition(
  engine: Engine,
  places: NatPlaces,
  text: string,
  at: string,
): Promise<Definition> {
  return complete(text, at, await readNatFacts(engine.machine, engine.newToken()), places);
}

function complete(text: string, at: string, facts: NatFacts, places: NatPlaces): Definition {
  const { network, document } = readNetwork(text, at);
  const others = definedNames(places).filter((name) => name !== network.name);
  const bridges = new Map(others.map((name) => [bridgeOf(places, name), name]));
  const user = network.bridge.name === undefined ? undefined : bridges.get(network.bridge.name);
  if (user !== undefined && !isHostBridge(network))
    throw new QlaunchError('QL_NET_BRIDGE', EXIT.refused, {
      what: `the network ${network.name} can not have the bridge ${network.bridge.name}`,
      why: [`it is that of the network ${user}`],
      todo: ['take the name of the bridge out of the file: then a free one is chosen'],
    });
  const old = readDefinition(places, network.name);
  const kept = old === undefined ? undefined : readNetwork(old, at).network;
  const xml = fillIn(document, {
    uuid: kept?.uuid ?? randomUUID(),
    mac:
      kept?.mac ??
      `52:54:00:${randomBytes(3)
        .toString('hex')
        .replace(/(..)(..)(..)/, '$1:$2:$3')}`,
    bridge:
      kept?.bridge.name ??
      freeBridge(
        facts,
        [...bridges.keys()].filter((name) => name !== undefined),
      ),
  });
  return whole(readNetwork(xml, at), xml, places.definition(network.name).file);
}

function bridgeOf(places: NatPlaces, name: string): string | undefined {
  return readNetwork(readDefinition(places, name) ?? '', places.definition(name).file).network.bridge.name;
}

/** For good. */
export async function define(engine: Engine, places: NatPlaces, { network, xml }: Definition): Promise<void> {
  const plan = planDefine<HostFacts>(places.definition(network.name), xml);
  await apply(engine, { title: `net define ${network.name}`, lifetime: { permanent: true } }, () => plan);
}

/** The built-in network, by whoever needs it first: to all others it is what that one has written. */
export function defineBuiltIn(
  engine: Engine,
  places: NatPlaces,
  definition: Definition,
): Promise<Definition> {
  const { name } = definition.network;
  const title = `net define ${name}`;
  return engine.locked(title, async () => {
    const text = readDefinition(places, name);
    if (text !== undefined) return written(places, name, text);
    const plan = planDefine<HostFacts>(places.definition(name), definition.xml);
    await execute(engine, plan, { title, lifetime: { permanent: true } });
    return definition;
  });
}

export async function undefine(engine: Engine, places: NatPlaces, name: string): Promise<void> {
  const plan = planUndefine<HostFacts>(places.definition(name), places.paths(name).leases);
  await apply(engine, { title: `net undefine ${name}`, lifetime: { permanent: true } }, () => plan);
}
