/** A network is started and stopped. */
import { EXIT, QlaunchError } from '../../errors.ts';
import { stopDnsmasq } from '../../host/nat/dnsmasq.ts';
import { readNatFacts } from '../../host/nat/facts.ts';
import { definedNames, makeFolder, type NatPlaces, readStatuses } from '../../host/nat/places.ts';
import { type HostFacts, type LinkFact, linkNamed } from '../../plan/facts.ts';
import { putFile } from '../../plan/files.ts';
import { ownersCure } from '../../plan/firewall/cure.ts';
import { legacyCure, legacyFact } from '../../plan/firewall/legacy.ts';
import { NO_FIREWALL, obstaclesOf, peaceSteps, renderObstacle } from '../../plan/firewall/peace.ts';
import { renderLifetime } from '../../plan/lifetime.ts';
import { dnsmasqStep } from '../../plan/nat/check.ts';
import { checksumNote } from '../../plan/nat/checksum.ts';
import { planDefine } from '../../plan/nat/define.ts';
import { type DefinedNetwork, isHostBridge } from '../../plan/nat/defined.ts';
import { definitionFindings } from '../../plan/nat/difference.ts';
import { needsDnsmasq } from '../../plan/nat/dnsmasq.ts';
import type { NatFacts } from '../../plan/nat/facts.ts';
import { onThisHost } from '../../plan/nat/ipv6.ts';
import { neighbourNotes } from '../../plan/nat/neighbours.ts';
import { bridgeToBe, type NatStatus, planNetwork, type StartedAs, statusOf } from '../../plan/nat/start.ts';
import { ownerMark } from '../../plan/owner.ts';
import { DEADLINE_MS, type Plan, type Step } from '../../plan/step.ts';
import { execute } from '../change/execute.ts';
import type { Engine } from '../engine.ts';
import {
  type OpenChange,
  planRecovery,
  type Recovered,
  recover,
  release,
  releaseUnderLock,
} from '../recover.ts';
import { refuseLeft } from '../vm/left.ts';
import { amendNetwork } from './amend.ts';
import { startDaemon } from './daemon.ts';
import { type Definition, defineBuiltIn } from './definitions.ts';
import { inactive } from './names.ts';
import { lostNow, plugAgain } from './replug.ts';
import { keepStarted, runningAs } from './running.ts';
import { type ActiveNetwork, activeNetworks, lookAtNetworks } from './state.ts';

/**
 * What --dry-run shows: the definition where the first start writes it, and dnsmasq.
 * @param stopped a bridge that will be gone by then
 */
export async function previewStart(
  engine: Engine,
  places: NatPlaces,
  { network, xml, builtIn }: Definition,
  stopped?: string,
  as: StartedAs = {},
): Promise<Plan<HostFacts>> {
  const paths = places.paths(network.name);
  const now = await readNatFacts(engine.machine, engine.newToken(), true);
  const facts = {
    ...now,
    links: now.links.filter(({ ifname }) => ifname !== stopped).map((link) => without(link, stopped)),
    routes: now.routes.filter(({ dev }) => dev === undefined || dev !== stopped),
  };
  const { steps } = planNetwork(network, paths, facts, as);
  const define = builtIn === true ? planDefine(places.definition(network.name), xml).steps : [];
  const folder = {
    title: 'make the place of what belongs to running networks',
    do: { run: ['install', '-d', '-m', '0755', paths.dir, paths.hosts] },
    undo: { nothing: 'it belongs to all networks' },
    deadlineMs: DEADLINE_MS,
  } as const;
  const daemon = needsDnsmasq(network) ? [dnsmasqStep(network.bridge.name, paths)] : [];
  const keep = keepStarted(places, network.name, xml);
  return { steps: [...define, folder, keep, ...steps, ...plugSteps(places, network, facts), ...daemon] };
}

/** A port has no master any more when its bridge is gone. */
function without({ master, ...link }: LinkFact, gone: string | undefined): LinkFact {
  return master === undefined || master === gone ? link : { ...link, master };
}

/** Of taps of VMs that run. */
function plugSteps(places: NatPlaces, network: DefinedNetwork, facts: NatFacts): readonly Step[] {
  const now = isHostBridge(network) ? linkNamed(facts, network.bridge.name) : undefined;
  const bridge = now ?? bridgeToBe(network);
  const then = { ...facts, links: [...facts.links.filter((link) => link !== now), bridge] };
  return lostNow(places, network, bridge, then).flatMap(({ steps }) => steps);
}

export interface Started {
  /** false: it ran already. */
  readonly made: boolean;
  /** Where another firewall was in the way, and was opened; what is still closed is among the notes. */
  readonly opened: readonly string[];
  /** What of the network this host can not do. */
  readonly notes: readonly string[];
  /** The same, of which only few guests take notice. */
  readonly remarks: readonly string[];
  /** Taps of VMs that ran while the bridge was away. */
  readonly plugged: readonly string[];
  /** What to type where another firewall is still closed. */
  readonly cures: readonly string[];
}

/**
 * What a start that was cut short left, or whose bridge is gone, is taken back first; the built-in network is defined by
 * its first start. Errors: QL_LEFTOVERS, QL_SUBNET_TAKEN, QL_NET_IPV6, QL_LINK_EXISTS, QL_STEP_REFUSED, QL_DNSMASQ, with everything taken back.
 */
export async function startNetwork(
  engine: Engine,
  places: NatPlaces,
  definition: Definition,
  as: StartedAs = {},
): Promise<Started> {
  const { name } = definition.network;
  const paths = places.paths(name);
  await recover(engine, ofNetwork(name));
  const { network, xml } =
    definition.builtIn === true ? await defineBuiltIn(engine, places, definition) : definition;
  makeFolder(places, name);
  const title = `net start ${name}`;
  const opened: string[] = [];
  const notes: string[] = [];
  const remarks: string[] = [];
  const plugged: string[] = [];
  const plug = async (running: NatStatus, before: NatFacts): Promise<void> => {
    const again = await plugAgain(engine, places, running, before);
    plugged.push(...again.plugged);
    notes.push(...again.notes);
  };
  const cures: string[] = [];
  const made = await engine.locked(title, async () => {
    const look = (): Promise<NatFacts> => readNatFacts(engine.machine, engine.newToken(), true);
    let facts = await look();
    const active = activeNetworks(places, facts).find((one) => one.name === name);
    if (active !== undefined) {
      await remember(engine, places, name, as);
      await plug(active, facts);
      const running = runningAs(places, name);
      for (const { fact, cure = [] } of running === undefined ? [] : definitionFindings(running, network)) {
        notes.push(`network ${name}: ${fact}`);
        cures.push(...cure);
      }
      return false;
    }
    if (await takeBackRest(engine, places, name)) facts = await look();
    const order = { title, lifetime: { net: name }, holder: 'until-undone' } as const;
    const { steps } = planNetwork(network, paths, facts, as);
    await execute(engine, { steps: [keepStarted(places, name, xml), ...steps] }, order);
    await plug(statusOf(network), facts);
    notes.push(...onThisHost(network, facts).notes, ...neighbourNotes(network, facts));
    remarks.push(...[checksumNote(network, facts.checksum)].filter((note) => note !== undefined));
    if (network.forward.mode !== 'bridge' && network.forward.mode !== 'open') {
      notes.push(...(facts.legacy ?? []).map(legacyFact));
      cures.push(...(facts.legacy ?? []).map(legacyCure));
    }
    const { firewall = NO_FIREWALL } = facts;
    const inTheWay = obstaclesOf(network, firewall);
    if (inTheWay.length === 0) return true;
    const { firewall: after } = await readNatFacts(engine.machine, engine.newToken());
    const closed = after === undefined ? [] : obstaclesOf(network, after);
    const cure = after === undefined ? [] : closed.flatMap((one) => ownersCure(network, one, after));
    const isClosed = (owner: string): boolean => closed.some((one) => one.owner === owner);
    // Where there was nothing to do for us, somebody else has opened it meanwhile.
    if (peaceSteps(network, firewall, ownerMark({ net: name }, facts.token)).length > 0)
      opened.push(...inTheWay.filter(({ owner }) => !isClosed(owner)).map(renderObstacle));
    notes.push(...closed.map((one) => `${renderObstacle(one)}; only who made its rules can open it`));
    cures.push(...new Set(cure));
    return true;
  });
  try {
    // Outside the lock, which it must not inherit.
    if (needsDnsmasq(network)) notes.push(...(await startDaemon(engine, places, network, as.dns)));
  } catch (error) {
    if (made) await release(engine, { net: name });
    throw error;
  }
  return { made, opened, notes, remarks, plugged, cures };
}

/** Under the lock. Somebody has deleted its bridge, and all else of it is still there. Throws QL_LEFTOVERS. */
async function takeBackRest(engine: Engine, places: NatPlaces, name: string): Promise<boolean> {
  if (plannedStop(engine, name).length === 0) return false;
  refuseLeft(await releaseUnderLock(engine, { net: name }), `the network ${name}`);
  await stopDnsmasq(places.paths(name));
  return true;
}

/** Whom else it is for, for its next start. */
async function remember(
  engine: Engine,
  places: NatPlaces,
  name: string,
  { allow }: StartedAs,
): Promise<void> {
  const status = readStatuses(places).find((one) => one.name === name);
  const known = status?.as?.allow ?? [];
  if (status === undefined || allow === undefined || allow.every((one) => known.includes(one))) return;
  const as = { ...status.as, allow: [...new Set([...known, ...allow])] };
  const content = `${JSON.stringify({ ...status, as })}\n`;
  await amendNetwork(engine, name, `net start ${name}`, [
    putFile({ path: places.paths(name).status, content }),
  ]);
}

const ofNetwork =
  (name: string) =>
  ({ journal }: OpenChange['change']): boolean =>
    journal !== undefined && renderLifetime(journal.head.lifetime) === renderLifetime({ net: name });

/** Throws QL_NO_NETWORK, QL_NET_INACTIVE; QL_NET_BUSY (exit 3) unless `force`: its guests would hear nothing any more. */
export async function requireStoppable(
  engine: Engine,
  places: NatPlaces,
  name: string,
  force: boolean,
  verb: 'stop' | 'restart',
): Promise<void> {
  const active = (await lookAtNetworks(engine, places)).find((one) => one.name === name);
  const isOpen = planRecovery(engine).some(({ change }) => ofNetwork(name)(change));
  if (active === undefined && !isOpen) throw inactive(name, definedNames(places));
  // The host's own bridge stays, and so do its ports.
  if (active === undefined || active.mode === 'bridge') return;
  if (active.ports.length > 0 && !force) throw busy(active, verb);
}

function busy({ name, bridge, ports }: ActiveNetwork, verb: string): QlaunchError {
  return new QlaunchError('QL_NET_BUSY', EXIT.refused, {
    what: `the network ${name} is in use`,
    why: [`plugged into ${bridge}: ${ports.join(', ')}`],
    todo: ['qlaunch ps', `sudo qlaunch net ${verb} ${name} --force`],
  });
}

/** What stopNetwork() takes back, and what a start does of a network that is not active. */
export function plannedStop(engine: Engine, name: string): readonly OpenChange[] {
  return planRecovery(engine)
    .filter(({ change }) => ofNetwork(name)(change))
    .map((open) => ({ ...open, decision: { kind: 'undo', why: 'asked for' } }));
}

/** The definition and the leases stay. */
export async function stopNetwork(engine: Engine, places: NatPlaces, name: string): Promise<Recovered> {
  const result = await release(engine, { net: name });
  // Somebody else had removed the bridge, so nothing of the journal could prove dnsmasq ours; its own words do.
  await stopDnsmasq(places.paths(name));
  return result;
}
