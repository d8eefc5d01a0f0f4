/** `net check [--fix]`: what is missing of networks that were started, and putting it back under their own journals. */
import { readNatFacts } from '../../host/nat/facts.ts';
import { lookAtNetwork } from '../../host/nat/look.ts';
import { definedNames, type NatPlaces, readPorts, readStatuses } from '../../host/nat/places.ts';
import { linkNamed } from '../../plan/facts.ts';
import { checkNetwork, dnsmasqStep, type NetFinding } from '../../plan/nat/check.ts';
import { portFindings } from '../../plan/nat/ports.ts';
import type { NatStatus } from '../../plan/nat/start.ts';
import type { Step } from '../../plan/step.ts';
import type { Engine } from '../engine.ts';
import type { OpenChange } from '../recover.ts';
import { amendNetwork } from './amend.ts';
import { startDaemon } from './daemon.ts';
import { definitionOf } from './definitions.ts';
import { inactive } from './names.ts';
import { plannedStop, previewStart, startNetwork } from './start.ts';
import { activeNetworks } from './state.ts';

/**
 * Of one network, or of all that were started. Errors: QL_NO_NETWORK; QL_NET_INACTIVE when that one was not started.
 */
export async function checkNetworks(
  engine: Engine,
  places: NatPlaces,
  only?: string,
): Promise<readonly NetFinding[]> {
  const statuses = readStatuses(places).filter(({ name }) => only === undefined || name === only);
  if (only !== undefined && statuses.length === 0) throw inactive(only, definedNames(places));
  const facts = await readNatFacts(engine.machine, engine.newToken(), true);
  const found: NetFinding[] = [];
  for (const status of statuses) {
    const { network } = await definitionOf(engine, places, status.name);
    const paths = places.paths(status.name);
    const seen = await lookAtNetwork(engine.machine, facts, status, paths);
    found.push(...checkNetwork(network, status, paths, seen));
    const bridge = activeNetworks(places, facts).some(({ name }) => name === status.name)
      ? linkNamed(facts, status.bridge)
      : undefined;
    if (bridge !== undefined)
      found.push(...portFindings(status.name, readPorts(places, status.name), bridge, facts));
  }
  return found;
}

const steps = (findings: readonly NetFinding[]): readonly Step[] =>
  findings.flatMap(({ fix, state }) =>
    state !== 'ok' && fix !== undefined && 'steps' in fix ? fix.steps : [],
  );

/** What --fix would do: first what is taken back. */
export async function previewFix(
  engine: Engine,
  places: NatPlaces,
  findings: readonly NetFinding[],
): Promise<{ readonly taken: readonly OpenChange[]; readonly steps: readonly Step[] }> {
  const statuses = readStatuses(places);
  const taken: OpenChange[] = [];
  const all = [...steps(findings)];
  for (const { mend, about } of findings) {
    const status = statuses.find(({ name }) => name === about);
    if (mend === 'dnsmasq' && status !== undefined) all.push(dnsmasqStep(status.bridge, places.paths(about)));
    if (mend !== 'restart') continue;
    taken.push(...plannedStop(engine, about));
    const definition = await definitionOf(engine, places, about);
    all.push(...(await previewStart(engine, places, definition, undefined, status?.as)).steps);
  }
  return { taken, steps: all };
}

/** Looked at anew under the lock. Gives what was mended, "lab: net-table". Errors: those of a step, and QL_DNSMASQ. */
export async function fixNetworks(
  engine: Engine,
  places: NatPlaces,
  names: readonly string[],
): Promise<readonly string[]> {
  const mended: string[] = [];
  for (const name of names) {
    const found = await engine.locked(`net check --fix ${name}`, async () => {
      const wrong = (await checkNetworks(engine, places, name)).filter(({ state }) => state === 'problem');
      await amendNetwork(engine, name, `net check --fix ${name}`, steps(wrong));
      return wrong;
    });
    if (found.some(({ mend }) => mend === 'restart')) await again(engine, places, name);
    if (found.some(({ mend }) => mend === 'dnsmasq'))
      await startDaemon(
        engine,
        places,
        (await definitionOf(engine, places, name)).network,
        readStatuses(places).find((one) => one.name === name)?.as?.dns,
      );
    mended.push(...found.map(({ id }) => `${name}: ${id}`));
  }
  return mended;
}

/** What is left of it is taken back by its start. */
async function again(engine: Engine, places: NatPlaces, name: string): Promise<void> {
  const as = readStatuses(places).find((one) => one.name === name)?.as;
  await startNetwork(engine, places, await definitionOf(engine, places, name), as);
}

export const startedNames = (places: NatPlaces): readonly string[] =>
  readStatuses(places).map(({ name }: NatStatus) => name);
