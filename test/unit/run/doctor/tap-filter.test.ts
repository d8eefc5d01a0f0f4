import { expect, test } from 'vitest';
import { filterSteps, filterTable } from '../../../../src/plan/tap/options.ts';
import { apply } from '../../../../src/run/apply.ts';
import { filtersOf, lostFilters } from '../../../../src/run/doctor/tap-filter.ts';
import { openChanges } from '../../../../src/run/recover.ts';
import { FakeWorld } from '../../../fake-engine.ts';

test('the rules of a tap that a flushed ruleset took are named, with what brings them back', async () => {
  const world = new FakeWorld();
  const engine = world.engine();
  // The fake machine has a shell which says yes, and no nft.
  const steps = filterSteps({ name: 'qt-web0', antispoof: ['10.0.0.5'] }, 'qlaunch').map((step) => ({
    ...step,
    do: { run: ['sh'] as const },
  }));
  const { holder, lifetime } = { holder: engine.world.self, lifetime: { vm: '1000/web' } };
  await apply(engine, { title: 'run vm web', lifetime, holder }, () => ({ steps }));
  const wanted = openChanges(engine).flatMap(filtersOf);
  expect(lostFilters(wanted, new Set([filterTable('qt-web0')]))).toMatchObject([{ state: 'ok' }]);
  expect(lostFilters(wanted, new Set())).toEqual([
    {
      id: 'tap-filter',
      about: filterTable('qt-web0').replace('bridge ', ''),
      state: 'problem',
      fact: 'somebody has removed the rules that filter what comes from qt-web0 (vm 1000/web): all of it passes',
      cure: ['sudo qlaunch stop 1000/web   # then start it again'],
    },
  ]);
  expect(lostFilters([], new Set())).toEqual([]);
  // Its VM has ended: what is left of it is named as that.
  world.killAll();
  expect(openChanges(world.engine()).flatMap(filtersOf)).toEqual([]);
});
