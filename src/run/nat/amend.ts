/**
 * More steps for a network that runs: they end with it, like those of its start. The journal of an earlier boot is void:
 * what is written there nobody takes back.
 */
import type { Step } from '../../plan/step.ts';
import { addSteps } from '../change/amend.ts';
import { execute } from '../change/execute.ts';
import type { Engine } from '../engine.ts';
import { loadChanges } from '../journal/load.ts';

/** Under the host lock. */
export async function amendNetwork(
  engine: Engine,
  name: string,
  title: string,
  steps: readonly Step[],
): Promise<void> {
  if (steps.length === 0) return;
  const order = { title, lifetime: { net: name } } as const;
  const { bootId, netns } = engine.world;
  const journal = loadChanges(engine.stores, engine.world)
    .flatMap(({ journal: of }) => of ?? [])
    .filter(({ head }) => head.bootId === bootId && head.netns === netns)
    .find(({ head }) => 'net' in head.lifetime && head.lifetime.net === name && head.complete);
  if (journal !== undefined) await addSteps(engine, journal, steps, order);
  else await execute(engine, { steps }, { ...order, holder: 'until-undone' });
}
