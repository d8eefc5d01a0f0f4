/** `bridge create br0 --uplink`, killed on the way. Bundled by esbuild, run by node. */
import { createUplink } from '../../../src/run/bridge/uplink.ts';
import { teardown } from '../../../src/run/change/teardown.ts';
import { loadChange } from '../../../src/run/journal/load.ts';
import { openEngine } from '../../../src/run/open-engine.ts';
import { type Kill, killing } from '../killing.ts';

export interface ChildOrder {
  /** Killed while it moves, while it is put back, or while it moves on trial for a second. */
  readonly phase: 'do' | 'undo' | 'trial';
  readonly kill: Kill;
}

const { phase, kill } = JSON.parse(process.env['QLAUNCH_TEST_CHILD'] ?? '') as ChildOrder;
const engine = openEngine({ tool: 'qlaunch test' });
const mortal = killing(engine, kill);
const wish = { name: 'br0', uplink: 'up0', force: false };
if (phase === 'do') await createUplink(mortal, wish);
if (phase === 'trial') await createUplink(mortal, wish, 1);
if (phase === 'undo') {
  const { id } = await createUplink(engine, wish);
  const { journal } = loadChange(mortal.stores, engine.world, id);
  if (journal === undefined) throw new Error('no journal');
  await mortal.locked('undo', () => teardown(mortal, journal));
}
