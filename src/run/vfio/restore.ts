/** `vfio restore`: a filter over the one engine that takes back. */
import { EXIT, QlaunchError } from '../../errors.ts';
import { readVfioFacts } from '../../host/vfio/facts.ts';
import { select } from '../../plan/vfio/select.ts';
import type { Selector } from '../../spec/vfio/selector.ts';
import type { Engine } from '../engine.ts';
import { type OpenChange, openChanges, planUndo, type Recovered, recover, undoChange } from '../recover.ts';
import { changesOf, knownNames, rebindsIn } from './changes.ts';
import { merged, NOTHING } from './merged.ts';

/** What is open because of dead owners. */
export const healDead = (engine: Engine): Promise<Recovered> =>
  recover(engine, (change) => rebindsIn(change).length > 0);

/** Newest first. Errors: as select(); QL_VFIO_HELD (exit 3). A device that we did not take is only remarked on. */
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
  for (const { change } of open)
    for (const { rebind } of rebindsIn(change)) {
      const group = facts.functions.find(({ address, vfio }) => vfio && address === rebind)?.group;
      const holder = facts.holders.find((one) => one.group === group);
      if (holder === undefined) continue;
      throw new QlaunchError('QL_VFIO_HELD', EXIT.refused, {
        what: `will not take ${rebind} away now`,
        why: [`pid ${holder.pid} (${holder.command}) has IOMMU group ${group} open`],
        todo: ['qlaunch ps   # shows what uses it: stop that first', `ps -fp ${holder.pid}`],
      });
    }
  return { ids: open.map(({ change }) => change.id).reverse(), said };
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
