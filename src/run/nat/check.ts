/** `net check [--fix]`: what is missing of networks that were started, and putting it back under their own journals. */
import { readNatFacts } from '../../host/nat/facts.ts';
import { lookAtNetwork } from '../../host/nat/look.ts';
import { definedNames, type NatPlaces, readPorts, readStatuses } from '../../host/nat/places.ts';
import { linkNamed } from '../../plan/facts.ts';
import { checkNetwork, dnsmasqStep, type NetFinding } from '../../plan/nat/check.ts';
import { definitionFindings } from '../../plan/nat/difference.ts';
import { FORWARD } from '../../plan/nat/forward-finding.ts';
import { portFindings } from '../../plan/nat/ports.ts';
import type { NatStatus } from '../../plan/nat/start.ts';
import type { Step } from '../../plan/step.ts';
import type { Engine } from '../engine.ts';
import type { Place } from '../forward/live.ts';
import { addLostForwards, forwardFindings, lostForwardSteps } from '../forward/lost.ts';
import type { OpenChange } from '../recover.ts';
import { amendNetwork } from './amend.ts';
import { startDaemon } from './daemon.ts';
import { definitionOf } from './definitions.ts';
import { inactive } from './names.ts';
import { limitsLost, liveNow, lostNow } from './replug.ts';
import { runningAs } from './running.ts';
import { plannedStop, previewStart, startNetwork } from './start.ts';
import { activeNetworks } from './state.ts';

/**
 * Of one network, or of all that were started. Errors: QL_NO_NETWORK; QL_NET_INACTIVE when that one was not started.
 */
export async function checkNetworks(place: Place, only?: string): Promise<readonly NetFinding[]> {
  const { engine, places } = place;
  const statuses = readStatuses(places).filter(({ name }) => only === undefined || name === only);
  if (only !== undefined && statuses.length === 0) throw inactive(only, definedNames(places));
  const facts = await readNatFacts(engine.machine, engine.newToken(), true);
  const found: NetFinding[] = [];
  for (const status of statuses) {
    const { network: defined } = await definitionOf(engine, places, status.name);
    const running = runningAs(places, status.name);
    const paths = places.paths(status.name);
    const seen = await lookAtNetwork(engine.machine, facts, status, paths);
    found.push(
      ...checkNetwork(running ?? defined, status, paths, seen),
      // It runs on as it is: all else is looked at by what it was started with.
      ...(running === undefined ? [] : definitionFindings(running, defined)),
    );
    const bridge = activeNetworks(places, facts).some(({ name }) => name === status.name)
      ? linkNamed(facts, status.bridge)
      : undefined;
    if (bridge !== undefined)
      found.push(
        ...(await limitsLost(engine, places, status.name, facts)),
        ...portFindings(
          status.name,
          readPorts(places, status.name),
          lostNow(places, status, bridge, facts, await liveNow(engine, places, status.name, status.bridge)),
          bridge,
          facts,
        ),
      );
  }
  return [...found, ...(await forwardFindings(place, only))];
}

const steps = (findings: readonly NetFinding[]): readonly Step[] =>
  findings.flatMap(({ fix, state }) =>
    state !== 'ok' && fix !== undefined && 'steps' in fix ? fix.steps : [],
  );

/** What --fix would do: first what is taken back. */
export async function previewFix(
  place: Place,
  findings: readonly NetFinding[],
): Promise<{ readonly taken: readonly OpenChange[]; readonly steps: readonly Step[] }> {
  const { engine, places } = place;
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
  for (const name of new Set(findings.map(({ about }) => about)))
    all.push(...(await lostForwardSteps(place, name)));
  return { taken, steps: all };
}

/** Looked at anew under the lock. Gives what was mended, "lab: net-table". Errors: those of a step, and QL_DNSMASQ. */
export async function fixNetworks(place: Place, names: readonly string[]): Promise<readonly string[]> {
  const { engine, places } = place;
  const mended: string[] = [];
  for (const name of names) {
    const found = await engine.locked(`net check --fix ${name}`, async () => {
      const wrong = (await checkNetworks(place, name)).filter(({ state }) => state === 'problem');
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
    // Theirs is the lock of their VM, which comes before the host's.
    const added = await addLostForwards(place, name);
    const isMended = ({ fix, mend }: NetFinding): boolean => fix !== undefined || mend !== undefined;
    const inPlace = found.filter((one) => found.some((other) => other.id === one.id && isMended(other)));
    const ids = [...inPlace.map(({ id }) => id), ...Array<string>(added).fill(FORWARD)];
    mended.push(...ids.map((id) => `${name}: ${id}`));
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
