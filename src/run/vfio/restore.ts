/** `vfio restore`: a filter over the one engine that takes back. */
import { EXIT, QlaunchError } from '../../errors.ts';
import { readVfioFacts } from '../../host/vfio/facts.ts';
import type { VfioFacts } from '../../plan/vfio/facts.ts';
import { select } from '../../plan/vfio/select.ts';
import type { Selector } from '../../spec/vfio/selector.ts';
import type { Engine } from '../engine.ts';
import type { Change } from '../journal/load.ts';
import { type OpenChange, openChanges, planUndo, type Recovered, recover, undoChange } from '../recover.ts';
import { changesOf, knownNames, rebindsIn } from './changes.ts';
import { merged, NOTHING } from './merged.ts';

/** What is open because of dead owners. */
export const healDead = (engine: Engine): Promise<Recovered> =>
  recover(engine, (change) => rebindsIn(change).length > 0);

/**
 * Newest first. Errors: as select(); QL_VFIO_HELD (exit 3) for a device that was named. One that we did not take is only
 * remarked on, and of all of them one that is in use.
 */
export async function changesToRestore(
  engine: Engine,
  selectors: readonly Selector[] | 'all',
): Promise<{ readonly ids: readonly string[]; readonly said: readonly string[] }> {
  const facts = await readVfioFacts(engine.machine);
  const mine = changesOf(engine);
  const wanted =
    selectors === 'all'
      ? [...mine.keys()]
      : selectors.flatMap((one) => select(one, facts, knownNames(engine))).map(({ address }) => address);
  const said = wanted.flatMap((address) => {
    if (mine.has(address)) return [];
    const driver = facts.functions.find((one) => one.address === address)?.driver ?? 'no driver';
    return [`${address} was not taken by qlaunch: it has ${driver}, and keeps it`];
  });
  const ids = new Set(wanted.flatMap((address) => mine.get(address) ?? []));
  const open = openChanges(engine).filter(({ change }) => ids.has(change.id));
  const used = new Map(open.map(({ change }) => [change.id, useOf(change, facts)]));
  const [held] = [...used.values()].flatMap((use) => use ?? []);
  if (held !== undefined && selectors !== 'all')
    throw new QlaunchError('QL_VFIO_HELD', EXIT.refused, {
      what: `will not take ${held.address} away now`,
      why: [held.why],
      todo: ['qlaunch ps   # shows what uses it: stop that first', `ps -fp ${held.pid}`],
    });
  const kept = [...used.values()].flatMap((use) =>
    use === undefined ? [] : [`${use.address} stays: ${use.why}`],
  );
  const free = open.map(({ change }) => change.id).filter((id) => used.get(id) === undefined);
  return { ids: free.reverse(), said: [...said, ...kept] };
}

interface Use {
  readonly address: string;
  readonly pid: number;
  readonly why: string;
}

/** Who has a device of the change open. */
function useOf(change: Change, facts: VfioFacts): Use | undefined {
  for (const { rebind: address } of rebindsIn(change)) {
    const group = facts.functions.find((one) => one.vfio && address === one.address)?.group;
    const holder = facts.holders.find((one) => one.group === group);
    if (holder === undefined) continue;
    const { pid, command } = holder;
    return { address, pid, why: `pid ${pid} (${command}) has IOMMU group ${group} open` };
  }
  return undefined;
}

export const plannedRestore = (engine: Engine, ids: readonly string[]): readonly OpenChange[] =>
  ids.map((id) => planUndo(engine, id));

/** Errors: as changesToRestore(), planUndo(). */
export async function restore(engine: Engine, selectors: readonly Selector[] | 'all'): Promise<Recovered> {
  const { ids, said } = await changesToRestore(engine, selectors);
  let all: Recovered = { ...NOTHING, said };
  for (const id of ids) all = merged(all, await undoChange(engine, id));
  return all;
}
