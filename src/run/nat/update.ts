/** A definition is changed while its network runs: what only dnsmasq has to know takes effect at once. */
import { ensureDnsmasq, stopDnsmasq } from '../../host/nat/dnsmasq.ts';
import { readNatFacts } from '../../host/nat/facts.ts';
import { type NatPlaces, readStatuses } from '../../host/nat/places.ts';
import { putFile } from '../../plan/files.ts';
import { dnsmasqStep } from '../../plan/nat/check.ts';
import { differences, withLive } from '../../plan/nat/difference.ts';
import { dnsmasqConf, needsDnsmasq, stopDnsmasqArgv } from '../../plan/nat/dnsmasq.ts';
import { onThisHost } from '../../plan/nat/ipv6.ts';
import { elsewhere } from '../../plan/nat/name-server.ts';
import { type NatStatus, statusOf } from '../../plan/nat/start.ts';
import { DEADLINE_MS, type Step } from '../../plan/step.ts';
import type { Engine } from '../engine.ts';
import { amendNetwork } from './amend.ts';
import { type Definition, define } from './definitions.ts';
import { proveStart } from './prove.ts';
import { keepUpdated, runningAs } from './running.ts';

/** `later`: something else was changed as well, and waits for `net restart`. */
type Effect = 'now' | 'nothing' | 'stopped' | 'later';

export interface Updated {
  readonly effect: Effect;
  /** In what it runs otherwise than it is defined now. */
  readonly waits: readonly string[];
}

/**
 * Kept, and told to a dnsmasq that runs. Errors: QL_DNSMASQ_CONF, with nothing changed; those of a step; QL_DNSMASQ.
 */
export async function updateNetwork(
  engine: Engine,
  places: NatPlaces,
  definition: Definition,
): Promise<Updated> {
  const { network } = definition;
  const { name } = network;
  const paths = places.paths(name);
  await proveStart(engine, name, paths, (await liveSteps(engine, places, definition)).steps);
  await define(engine, places, definition);
  let updated: Updated = { effect: 'nothing', waits: [] };
  try {
    await engine.locked(`net update ${name}`, async () => {
      const then = await liveSteps(engine, places, definition);
      updated = { effect: then.effect, waits: then.waits };
      await amendNetwork(engine, name, `net update ${name}`, then.steps);
    });
  } finally {
    if (updated.effect === 'now') {
      // Somebody may have started it meanwhile.
      await stopDnsmasq(paths);
      await ensureDnsmasq(name, paths, places.lock(name));
    }
  }
  return updated;
}

export interface Update extends Updated {
  readonly steps: readonly Step[];
  /** Outside of the journal: dnsmasq starts. */
  readonly after: readonly Step[];
}

/** What it would do to a network that runs. */
export async function liveSteps(engine: Engine, places: NatPlaces, definition: Definition): Promise<Update> {
  const { name } = definition.network;
  const status = readStatuses(places).find((one) => one.name === name);
  if (status === undefined) return { effect: 'stopped', steps: [], after: [], waits: [] };
  const started = runningAs(places, name);
  // An earlier version has started it: what dnsmasq does not read is taken to be as it is defined, where it shows.
  const runs = started === undefined ? definition.network : withLive(started, definition.network);
  const facts = await readNatFacts(engine.machine, engine.newToken());
  const { network } = onThisHost(runs, facts);
  const waits = differences(runs, definition.network);
  const now = statusOf(network);
  const isOther = (['bridge', 'mode', 'addresses', 'dnsmasq'] as const).some(
    (key) => JSON.stringify(now[key]) !== JSON.stringify(status[key]),
  );
  if (isOther || !needsDnsmasq(network)) return { effect: 'later', steps: [], after: [], waits };
  // No more than what takes effect now.
  const claims: NatStatus = now.dhcp === undefined ? status : { ...status, dhcp: now.dhcp };
  const paths = places.paths(name);
  const conf = elsewhere(dnsmasqConf(network, paths, facts.resolvConf), status.nameServers);
  const known = started === undefined || differences(started, runs).length === 0;
  const files = [
    putFile({ path: paths.conf, content: conf }),
    putFile({ path: paths.status, content: `${JSON.stringify(claims)}\n` }),
    // Last: who is killed before has not updated it, and `net check` says so.
    ...(known ? [] : [keepUpdated(places, name, definition.xml)]),
  ];
  const changed: Step[] = [];
  for (const step of files)
    if ('file' in step.do && (await engine.machine.read(step.do.file)) !== step.do.content.trimEnd())
      changed.push(step);
  if (changed.length === 0)
    return { effect: waits.length > 0 ? 'later' : 'nothing', steps: [], after: [], waits };
  // It reads what it was told of at its start only; its leases are in a file. Ended first: where we are killed, the next
  // command finds that it does not run, and starts it with what is written by then.
  const { bridge } = status;
  const stop: Step = {
    title: `stop dnsmasq on ${bridge}`,
    do: { run: stopDnsmasqArgv(paths) },
    undo: { nothing: 'it is started again' },
    deadlineMs: DEADLINE_MS,
  };
  return { effect: 'now', steps: [stop, ...changed], after: [dnsmasqStep(bridge, paths)], waits };
}
