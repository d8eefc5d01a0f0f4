/** A process that carries out a plan (or takes it back) and is killed on the way. Bundled by esbuild, run by node. */
import { apply } from '../../src/run/apply.ts';
import { teardown } from '../../src/run/change/teardown.ts';
import { openEngine } from '../../src/run/open-engine.ts';
import { type Kill, killing } from './killing.ts';
import { LIFETIME, PLANS } from './plans.ts';

export interface ChildOrder {
  readonly plan: string;
  readonly etc: string;
  /** Killed while doing it, or while taking it back. */
  readonly phase: 'do' | 'undo';
  readonly kill: Kill;
}

const order = JSON.parse(process.env['QLAUNCH_TEST_CHILD'] ?? '') as ChildOrder;
const engine = openEngine({ tool: 'qlaunch test' });
const mortal = killing(engine, order.kill);
const planner = PLANS[order.plan]?.(order.etc);
if (planner === undefined) throw new Error(`no plan ${order.plan}`);
const journal = await apply(
  order.phase === 'do' ? mortal : engine,
  { title: 'test', lifetime: LIFETIME },
  planner,
);
if (order.phase === 'undo') {
  const { loadChange } = await import('../../src/run/journal/load.ts');
  const change = loadChange(mortal.stores, engine.world, journal.head.id);
  if (change.journal === undefined) throw new Error('no journal');
  const mine = change.journal;
  await mortal.locked('undo', () => teardown(mortal, mine));
}
