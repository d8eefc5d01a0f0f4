/** A definition is changed while its network runs: what only dnsmasq has to know takes effect at once. */
import { ensureDnsmasq, stopDnsmasq } from '../../host/nat/dnsmasq.ts';
import { readNatFacts } from '../../host/nat/facts.ts';
import { type NatPlaces, readStatuses } from '../../host/nat/places.ts';
import { putFile } from '../../plan/files.ts';
import { dnsmasqConf, needsDnsmasq } from '../../plan/nat/dnsmasq.ts';
import { onThisHost } from '../../plan/nat/ipv6.ts';
import { elsewhere } from '../../plan/nat/name-server.ts';
import { statusOf } from '../../plan/nat/start.ts';
import type { Step } from '../../plan/step.ts';
import type { Engine } from '../engine.ts';
import { amendNetwork } from './amend.ts';
import { type Definition, define } from './definitions.ts';

/** `later`: something else was changed as well, and waits for `net restart`. */
export type Effect = 'now' | 'nothing' | 'stopped' | 'later';

/** Kept, and told to a dnsmasq that runs. Errors: those of a step; QL_DNSMASQ. */
export async function updateNetwork(
  engine: Engine,
  places: NatPlaces,
  definition: Definition,
): Promise<Effect> {
  const { network } = definition;
  const { name } = network;
  const paths = places.paths(name);
  await define(engine, places, definition);
  const effect = await engine.locked(`net update ${name}`, async () => {
    const { effect: then, steps } = await liveSteps(engine, places, definition);
    await amendNetwork(engine, name, `net update ${name}`, steps);
    return then;
  });
  if (effect !== 'now') return effect;
  // It reads what it was told of at its start only; its leases are in a file.
  await stopDnsmasq(paths);
  await ensureDnsmasq(name, paths, places.lock(name));
  return effect;
}

/** What it would do to a network that runs. */
export async function liveSteps(
  engine: Engine,
  places: NatPlaces,
  definition: Definition,
): Promise<{ readonly effect: Effect; readonly steps: readonly Step[] }> {
  const facts = await readNatFacts(engine.machine, engine.newToken());
  const { network } = onThisHost(definition.network, facts);
  const running = readStatuses(places).find(({ name }) => name === network.name);
  if (running === undefined) return { effect: 'stopped', steps: [] };
  const { nameServers } = running;
  const status = { ...statusOf(network), ...(nameServers === undefined ? {} : { nameServers }) };
  const { bridge, mode, addresses, dnsmasq } = running;
  const same =
    JSON.stringify([bridge, mode, addresses, dnsmasq]) ===
    JSON.stringify([status.bridge, status.mode, status.addresses, status.dnsmasq]);
  if (!same || !needsDnsmasq(network)) return { effect: 'later', steps: [] };
  const paths = places.paths(network.name);
  const { resolvConf } = facts;
  const files = [
    putFile({ path: paths.conf, content: elsewhere(dnsmasqConf(network, paths, resolvConf), nameServers) }),
    putFile({ path: paths.status, content: `${JSON.stringify(status)}\n` }),
  ];
  const changed: Step[] = [];
  for (const step of files)
    if ('file' in step.do && (await engine.machine.read(step.do.file)) !== step.do.content.trimEnd())
      changed.push(step);
  return { effect: changed.length === 0 ? 'nothing' : 'now', steps: changed };
}
