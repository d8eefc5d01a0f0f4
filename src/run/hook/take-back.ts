/** Takes back what qemu-ifup did, as its journal says. */
import { type Left, teardown } from '../change/teardown.ts';
import type { Engine } from '../engine.ts';
import { decide } from '../journal/decide.ts';
import type { Journal } from '../journal/journal.ts';
import { type Change, loadChange } from '../journal/load.ts';
import { plugIds, plugTitle } from './records.ts';

/** What qemu-ifup did to the interface of this name in this network namespace. */
export function recordsOf(
  engine: Engine,
  ifname: string,
): readonly { readonly change: Change; readonly journal: Journal }[] {
  return plugIds(engine, ifname).flatMap((id) => {
    const change = loadChange(engine.stores, engine.world, id);
    const { journal } = change;
    const isOurs = journal?.head.title === plugTitle(ifname) && journal.head.netns === engine.world.netns;
    return isOurs ? [{ change, journal }] : [];
  });
}

/** Under the host lock. `unused`: only what no living process needs; else everything of this interface. */
export async function takeBack(
  engine: Engine,
  ifname: string,
  which: 'all' | 'unused',
): Promise<readonly Left[]> {
  const left: Left[] = [];
  for (const { change, journal } of recordsOf(engine, ifname)) {
    if (which === 'unused' && decide(change, engine.world).kind !== 'undo') continue;
    left.push(...(await teardown(engine, journal)).left);
  }
  return left;
}
