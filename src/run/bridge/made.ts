/** Bridges that `qlaunch bridge create` makes, and their removal. */

import { EXIT, QlaunchError } from '../../errors.ts';
import { readFilter } from '../../host/bridge/filter.ts';
import { withRadio } from '../../host/bridge/wireless.ts';
import { readFacts } from '../../host/facts.ts';
import { filterSteps } from '../../plan/bridge/filter.ts';
import { planAddPort, planRemovePort } from '../../plan/bridge/port.ts';
import { planSet } from '../../plan/bridge/set.ts';
import { planBridge } from '../../plan/bridge.ts';
import { type HostFacts, linkNamed } from '../../plan/facts.ts';
import type { Lifetime } from '../../plan/lifetime.ts';
import { isOwnerMark, ownerMark } from '../../plan/owner.ts';
import { shellWord } from '../../plan/shell.ts';
import type { Plan, Step } from '../../plan/step.ts';
import type { BackEnd } from '../../spec/bridge/back-end.ts';
import type { BridgeSettings } from '../../spec/bridge/settings.ts';
import { execute, newId } from '../change/execute.ts';
import { isOnTrial } from '../confirm/arm.ts';
import type { Engine } from '../engine.ts';
import { type Recovered, undoChange } from '../recover.ts';
import { type BridgeChange, bridgeChanges, titleOf } from './changes.ts';
import { ipForwardSteps } from './ip-forward.ts';
import { persistSteps } from './persist/steps.ts';

export interface BridgeOrder {
  readonly title: string;
  readonly id: string;
  readonly lifetime: Lifetime;
  /** Reads what it needs of the machine; for --dry-run as well as under the lock. */
  readonly plan: () => Promise<Plan<HostFacts>>;
}

export function order(
  engine: Engine,
  title: string,
  make: (facts: HostFacts, lifetime: Lifetime) => Promise<Plan<HostFacts>> | Plan<HostFacts>,
): BridgeOrder {
  const id = newId(engine);
  const lifetime = { untilUndone: id };
  return {
    title,
    id,
    lifetime,
    plan: async () => make(await readFacts(engine.machine, engine.newToken()), lifetime),
  };
}

export interface PlainBridge extends BridgeSettings {
  readonly name: string;
  readonly addresses: readonly string[];
  /** Also at every boot; true: by the network manager of this host. */
  readonly persist?: BackEnd | true;
  readonly physdev?: boolean;
}

/** A bridge without an uplink. Errors: QL_LINK_EXISTS, QL_PERSIST. */
export function createOrder(engine: Engine, wish: PlainBridge): BridgeOrder {
  return order(engine, titleOf('create', wish.name), async (facts, lifetime) => {
    const { persist } = wish;
    const steps = [
      ...planBridge({ ...wish, lifetime }, facts).steps,
      ...(await hostSteps(engine, wish, facts, lifetime)),
    ];
    if (persist === undefined) return { steps };
    const kept = await persistSteps(engine.machine, wish, persist === true ? undefined : persist);
    return { steps: [...steps, ...kept] };
  });
}

/** What is of this host, and not of the bridge alone. Throws QL_BRIDGE_NF, QL_IP_FORWARD (exit 3). */
export async function hostSteps(
  engine: Engine,
  wish: BridgeSettings & { readonly name: string; readonly persist?: BackEnd | true },
  facts: HostFacts,
  lifetime: Lifetime,
): Promise<readonly Step[]> {
  const forward = await ipForwardSteps(engine, wish);
  if (wish.bridgeNf === undefined || wish.bridgeNf === 'leave') return forward;
  const found = await readFilter(engine.machine, facts.links);
  const mark = ownerMark(lifetime, facts.token);
  return [...filterSteps({ ...wish, persist: wish.persist !== undefined }, found, mark), ...forward];
}

/** Errors: QL_NO_BRIDGE, QL_BRIDGE_DELAY, QL_BRIDGE_NF, QL_IP_FORWARD. */
export function setOrder(engine: Engine, bridge: string, settings: BridgeSettings): BridgeOrder {
  return order(engine, titleOf('set', bridge), async (facts, lifetime) => {
    const { steps } = planSet(bridge, settings, facts);
    return {
      steps: [...steps, ...(await hostSteps(engine, { name: bridge, ...settings }, facts, lifetime))],
    };
  });
}

/** Errors: QL_NO_BRIDGE, QL_NO_LINK, QL_NOT_A_PORT. */
export function addPortOrder(engine: Engine, bridge: string, port: string): BridgeOrder {
  return order(engine, titleOf('add-port', bridge, port), async (facts) =>
    planAddPort(bridge, port, await withRadio(engine.machine, facts, port)),
  );
}

/** Errors: QL_NO_BRIDGE, QL_NO_LINK, QL_NOT_ITS_PORT. */
export function removePortOrder(engine: Engine, bridge: string, port: string): BridgeOrder {
  return order(engine, titleOf('remove-port', bridge, port), (facts) => planRemovePort(bridge, port, facts));
}

/** The change's id; undefined when all was as wanted already. */
export function carryOut(
  engine: Engine,
  { title, id, lifetime, plan }: BridgeOrder,
): Promise<string | undefined> {
  return engine.locked(title, async () => {
    const planned = await plan();
    if (planned.steps.length === 0) return undefined;
    const facts = (): Promise<HostFacts> => readFacts(engine.machine, engine.newToken());
    await execute(engine, planned, { title, id, lifetime, holder: 'until-undone', facts });
    return id;
  });
}

/** The change that made this a port, when `add-port` did: taking it out is taking that back. */
export function portChange(engine: Engine, bridge: string, port: string): BridgeChange | undefined {
  return bridgeChanges(engine, bridge).find((change) => change.verb === 'add-port' && change.port === port);
}

/**
 * What `delete` takes back, newest first. Throws QL_NO_BRIDGE (exit 2), QL_BRIDGE_FOREIGN, QL_BRIDGE_BUSY (exit 3)
 * unless `force`: guests on its other ports would hear nothing any more.
 */
export async function changesToDelete(
  engine: Engine,
  bridge: string,
  force: boolean,
): Promise<readonly BridgeChange[]> {
  const facts = await readFacts(engine.machine, engine.newToken());
  const changes = bridgeChanges(engine, bridge);
  const created = changes.find(({ verb }) => verb === 'create' || verb === 'persist');
  if (created === undefined) throw notMadeHere(engine, bridge, facts);
  const known = new Set(changes.map(({ port }) => port));
  const ports = facts.links.filter(({ master, ifname }) => master === bridge && !known.has(ifname));
  if (ports.length === 0 || force) return changes;
  throw new QlaunchError('QL_BRIDGE_BUSY', EXIT.refused, {
    what: `the bridge ${bridge} is in use`,
    why: ports.map(({ ifname, kind }) => `${ifname} (${kind ?? 'network device'}) is a port of it`),
    todo: ['qlaunch map', `sudo qlaunch bridge delete ${shellWord(bridge)} --force`],
  });
}

export function notMadeHere(engine: Engine, name: string, facts: HostFacts): QlaunchError {
  const link = linkNamed(facts, name);
  const known = bridgeChanges(engine).flatMap(({ verb, bridge }) => (verb === 'create' ? [bridge] : []));
  if (link === undefined) {
    return new QlaunchError('QL_NO_BRIDGE', EXIT.usage, {
      what: `there is no bridge ${name}`,
      why: [
        known.length === 0
          ? 'qlaunch bridge create has made none'
          : `made by qlaunch bridge create: ${known.join(', ')}`,
      ],
      todo: ['qlaunch bridge show'],
    });
  }
  const ours = isOwnerMark(link.ifalias);
  return new QlaunchError('QL_BRIDGE_FOREIGN', EXIT.refused, {
    what: `${name} was not made by qlaunch bridge create`,
    why: [ours ? `it belongs to another command of qlaunch (${link.ifalias})` : 'somebody else made it'],
    todo: ours ? ['qlaunch changes'] : [`sudo ip link delete dev ${shellWord(name)}   # if it is yours`],
  });
}

/** One after the other, newest first; what is left of one does not keep the others. */
export async function undoAll(engine: Engine, changes: readonly BridgeChange[]): Promise<Recovered> {
  let all: Recovered = { undone: [], left: [], said: [], reported: [], exit: EXIT.ok };
  for (const { id } of changes) {
    const one = await undoChange(engine, id);
    all = {
      undone: [...all.undone, ...one.undone],
      left: [...all.left, ...one.left],
      said: [...all.said, ...one.said],
      reported: [...all.reported, ...one.reported],
      exit: one.exit === EXIT.ok ? all.exit : one.exit,
    };
  }
  return all;
}

/** The one that waits for its confirmation. Throws QL_NO_TRIAL (exit 2). */
export function trialOf(engine: Engine, bridge?: string): BridgeChange {
  const waiting = bridgeChanges(engine, bridge).filter(({ id }) => isOnTrial(engine, id));
  const [only, ...more] = waiting;
  if (only !== undefined && more.length === 0) return only;
  throw new QlaunchError('QL_NO_TRIAL', EXIT.usage, {
    what:
      only === undefined
        ? `no bridge ${bridge === undefined ? '' : `${bridge} `}waits to be confirmed`
        : 'more than one bridge waits to be confirmed',
    why: only === undefined ? ['it was confirmed, or taken back'] : waiting.map(({ bridge: name }) => name),
    todo: ['qlaunch bridge show', 'qlaunch changes'],
  });
}
