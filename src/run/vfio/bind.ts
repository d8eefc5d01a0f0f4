/** `vfio bind` and `vfio unbind`: checks, plan, journal. */

import { readVfioFacts } from '../../host/vfio/facts.ts';
import type { HostFacts } from '../../plan/facts.ts';
import type { FileOwner, Plan } from '../../plan/step.ts';
import { planBind, planUnbind, VFIO_DRIVER } from '../../plan/vfio/bind.ts';
import { type Check, check, stopping, targetsOf } from '../../plan/vfio/checks.ts';
import type { PciFunction, VfioFacts } from '../../plan/vfio/facts.ts';
import { select } from '../../plan/vfio/select.ts';
import type { Selector } from '../../spec/vfio/selector.ts';
import { execute, newId } from '../change/execute.ts';
import { arm } from '../confirm/arm.ts';
import type { Engine } from '../engine.ts';
import { changesOf, knownNames } from './changes.ts';
import { refusal } from './refusal.ts';

export interface BindOrder {
  readonly selectors: readonly Selector[];
  readonly wholeGroup: boolean;
  readonly force: readonly string[];
  readonly owner?: FileOwner;
  /** Take it back after so many seconds, unless confirmed. */
  readonly confirmSeconds?: number;
  /** The command as typed, for what to type instead. */
  readonly command: string;
}

export interface Prepared {
  readonly functions: readonly PciFunction[];
  readonly plan: Plan<HostFacts>;
  readonly warnings: readonly Check[];
}

export interface Bound {
  /** undefined: there was nothing to do. */
  readonly id?: string;
  readonly functions: readonly PciFunction[];
  /** Of those, what was on VFIO before us, and so will stay there. */
  readonly before: readonly PciFunction[];
  readonly warnings: readonly Check[];
}

/** Errors: as select(); QL_VFIO_REFUSED (exit 3). Touches nothing. */
export async function prepareBind(engine: Engine, order: BindOrder): Promise<Prepared> {
  const facts = await readVfioFacts(engine.machine);
  return bindPlan(engine, order, facts);
}

async function bindPlan(engine: Engine, order: BindOrder, facts: VfioFacts): Promise<Prepared> {
  const asked = order.selectors.flatMap((one) => select(one, facts, knownNames(engine)));
  const targets = targetsOf(asked, order.wholeGroup, facts);
  const mine = changesOf(engine);
  // What we took before is in use by whoever we took it for.
  const checks = check(targets, facts).filter(({ id, device }) => !(id === 'held' && mine.has(device)));
  const stops = stopping(checks, order.force);
  if (stops.length > 0)
    throw refusal(`will not give ${namesOf(asked)} to ${VFIO_DRIVER}`, stops, order.command);
  const udev = (await engine.machine.which('udevadm')) !== undefined;
  const owner = order.owner === undefined ? {} : { owner: order.owner };
  const plan = { steps: planBind({ functions: targets.functions, facts, udev, ...owner }) };
  return { functions: targets.functions, plan, warnings: checks };
}

/** Errors: as prepareBind(); QL_NOT_ARMED, QL_STEP_REFUSED, QL_STEP_STUCK, QL_LEFTOVERS. */
export function bindFunctions(engine: Engine, order: BindOrder): Promise<Bound> {
  const title = `vfio bind ${order.selectors.map(({ text }) => text).join(' ')}`;
  return engine.locked(title, async () => {
    const { functions, plan, warnings } = await prepareBind(engine, order);
    const before = functions.filter(({ vfio }) => vfio);
    if (plan.steps.length === 0) return { functions, before, warnings };
    return { id: await carryOut(engine, title, plan, order.confirmSeconds), functions, before, warnings };
  });
}

async function carryOut(
  engine: Engine,
  title: string,
  plan: Plan<HostFacts>,
  confirmSeconds?: number,
): Promise<string> {
  const id = newId(engine);
  const lifetime = { untilUndone: id };
  if (confirmSeconds === undefined) {
    await execute(engine, plan, { title, lifetime, id, holder: 'until-undone' });
    return id;
  }
  const armed = await arm(engine, id, confirmSeconds);
  await execute(engine, plan, { title, lifetime, id, holder: armed.watcher, onJournal: armed.onJournal });
  armed.made();
  return id;
}

/** Errors: as select(); QL_VFIO_REFUSED. */
export async function prepareUnbind(
  engine: Engine,
  order: Pick<BindOrder, 'selectors' | 'force' | 'command'>,
): Promise<Prepared> {
  const facts = await readVfioFacts(engine.machine);
  const functions = order.selectors.flatMap((one) => select(one, facts, knownNames(engine)));
  const ofPlatform = ['no-iommu', 'no-group', 'group', 'noiommu', 'rmrr', 'reset'];
  const checks = check({ functions, wholeGroup: false }, facts).filter(({ id }) => !ofPlatform.includes(id));
  const stops = stopping(checks, order.force);
  if (stops.length > 0)
    throw refusal(`will not take the driver from ${namesOf(functions)}`, stops, order.command);
  return { functions, plan: { steps: planUnbind(functions) }, warnings: checks };
}

export function unbindFunctions(
  engine: Engine,
  order: Pick<BindOrder, 'selectors' | 'force' | 'command'>,
): Promise<Bound> {
  const title = `vfio unbind ${order.selectors.map(({ text }) => text).join(' ')}`;
  return engine.locked(title, async () => {
    const { functions, plan, warnings } = await prepareUnbind(engine, order);
    if (plan.steps.length === 0) return { functions, before: [], warnings };
    return { id: await carryOut(engine, title, plan), functions, before: [], warnings };
  });
}

const namesOf = (functions: readonly PciFunction[]): string =>
  functions.map(({ address, netdevs }) => [address, ...netdevs].join(' ')).join(', ');
