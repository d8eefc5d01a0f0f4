/** A definition is changed while its network runs: what only dnsmasq has to know takes effect at once. */
import { ensureDnsmasq, stopDnsmasq } from '../../host/nat/dnsmasq.ts';
import { readNatFacts } from '../../host/nat/facts.ts';
import { type NatPlaces, readStatuses } from '../../host/nat/places.ts';
import { putFile } from '../../plan/files.ts';
import { dnsmasqStep } from '../../plan/nat/check.ts';
import { dnsmasqConf, needsDnsmasq, stopDnsmasqArgv } from '../../plan/nat/dnsmasq.ts';
import { onThisHost } from '../../plan/nat/ipv6.ts';
import { elsewhere } from '../../plan/nat/name-server.ts';
import { statusOf } from '../../plan/nat/start.ts';
import { DEADLINE_MS, type Step } from '../../plan/step.ts';
import type { Engine } from '../engine.ts';
import { amendNetwork } from './amend.ts';
import { type Definition, define } from './definitions.ts';
import { proveStart } from './prove.ts';

/** `later`: something else was changed as well, and waits for `net restart`. */
export type Effect = 'now' | 'nothing' | 'stopped' | 'later';

/**
 * Kept, and told to a dnsmasq that runs. Errors: QL_DNSMASQ_CONF, with nothing changed; those of a step; QL_DNSMASQ.
 */
export async function updateNetwork(
  engine: Engine,
  places: NatPlaces,
  definition: Definition,
): Promise<Effect> {
  const { network } = definition;
  const { name } = network;
  const paths = places.paths(name);
  await proveStart(engine, name, paths, (await liveSteps(engine, places, definition)).steps);
  await define(engine, places, definition);
  let effect: Effect = 'nothing';
  try {
    await engine.locked(`net update ${name}`, async () => {
      const { effect: then, steps } = await liveSteps(engine, places, definition);
      effect = then;
      await amendNetwork(engine, name, `net update ${name}`, steps);
    });
  } finally {
    if (isNow(effect)) {
      // Somebody may have started it meanwhile.
      await stopDnsmasq(paths);
      await ensureDnsmasq(name, paths, places.lock(name));
    }
  }
  return effect;
}

const isNow = (effect: Effect): boolean => effect === 'now';

export interface Update {
  readonly effect: Effect;
  readonly steps: readonly Step[];
  /** Outside of the journal: dnsmasq starts. */
  readonly after: readonly Step[];
}

/** What it would do to a network that runs. */
export async function liveSteps(engine: Engine, places: NatPlaces, definition: Definition): Promise<Update> {
  const facts = await readNatFacts(engine.machine, engine.newToken());
  const { network } = onThisHost(definition.network, facts);
  const running = readStatuses(places).find(({ name }) => name === network.name);
  if (running === undefined) return { effect: 'stopped', steps: [], after: [] };
  const { nameServers, as } = running;
  const status = {
    ...statusOf(network),
    ...(nameServers === undefined ? {} : { nameServers }),
    ...(as === undefined ? {} : { as }),
  };
  const { bridge, mode, addresses, dnsmasq } = running;
  const same =
    JSON.stringify([bridge, mode, addresses, dnsmasq]) ===
    JSON.stringify([status.bridge, status.mode, status.addresses, status.dnsmasq]);
  if (!same || !needsDnsmasq(network)) return { effect: 'later', steps: [], after: [] };
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
  if (changed.length === 0) return { effect: 'nothing', steps: [], after: [] };
  // It reads what it was told of at its start only; its leases are in a file. Ended first: where we are killed, the next
  // command finds that it does not run, and starts it with what is written by then.
  const stop: Step = {
    title: `stop dnsmasq on ${bridge}`,
    do: { run: stopDnsmasqArgv(paths) },
    undo: { nothing: 'it is started again' },
    deadlineMs: DEADLINE_MS,
  };
  return { effect: 'now', steps: [stop, ...changed], after: [dnsmasqStep(bridge, paths)] };
}
