/** A process that carries out a plan (or takes it back) and is killed on the way. Bundled by esbuild, run by node. */
import { apply } from '../../src/run/apply.ts';
import { teardown } from '../../src/run/change/teardown.ts';
import { applyOnTrial } from '../../src/run/confirm/confirm.ts';
import { loadChange } from '../../src/run/journal/load.ts';
import { openEngine } from '../../src/run/open-engine.ts';
import { type Kill, killing } from './killing.ts';
import { LIFETIME, planner } from './plans.ts';

export interface ChildOrder {
  readonly plan: string;
  readonly etc: string;
  /** Killed while doing it, while taking it back, or while doing it on trial for a second. */
  readonly phase: 'do' | 'undo' | 'trial';
  readonly kill: Kill;
}

const { plan, etc, phase, kill } = JSON.parse(process.env['QLAUNCH_TEST_CHILD'] ?? '') as ChildOrder;
const engine = openEngine({ tool: 'qlaunch test' });
const mortal = killing(engine, kill);
const make = planner(plan, etc);
const wish = { title: 'test', lifetime: LIFETIME };
if (phase === 'trial') await applyOnTrial(mortal, wish, 1, make);
if (phase === 'do') await apply(mortal, wish, make);
if (phase === 'undo') {
  const { id } = (await apply(engine, wish, make)).head;
  const { journal } = loadChange(mortal.stores, engine.world, id);
  if (journal === undefined) throw new Error('no journal');
  await mortal.locked('undo', () => teardown(mortal, journal));
}
