import { expect, test } from 'vitest';
import { filterSteps } from '../../../../src/plan/bridge/filter.ts';
import type { Chain } from '../../../../src/plan/firewall/ruleset.ts';
import { renderPlan } from '../../../../src/plan/render.ts';

const NONE = { calls: {}, chains: [], users: [] };

test('off: at boot the module is there first, so that its keys are; where it is not loaded nothing is to do now', () => {
  const steps = filterSteps({ name: 'br0', bridgeNf: 'off', persist: true }, NONE, 'qlaunch:test');
  const text = renderPlan({ steps });
  expect(text).toContain('/etc/modules-load.d/qlaunch-br0.conf');
  expect(text).toMatch(/\nbr_netfilter\n[\s\S]*\/etc\/sysctl\.d\/60-qlaunch-br0\.conf/);
  expect(text).toContain(
    '\nnet.bridge.bridge-nf-call-iptables = 0\nnet.bridge.bridge-nf-call-ip6tables = 0\n',
  );
  expect(steps.every(({ do: action }) => 'file' in action || 'mkdir' in action)).toBe(true);
  expect(filterSteps({ name: 'br0', bridgeNf: 'accept', persist: true }, NONE, 'qlaunch:test')).toEqual([]);
});

test('accept: its rule is taken back by its comment alone, so also where a kill left open whether it is there', () => {
  const chain: Chain = {
    ...{ family: 'ip', table: 'filter', name: 'FORWARD', hook: 'forward', policy: 'drop' },
    ...{ rules: [], ours: false },
  };
  const facts = { calls: { iptables: '1' }, chains: [chain], users: [] };
  const steps = filterSteps({ name: 'br0', bridgeNf: 'accept', persist: false }, facts, 'qlaunch:test');
  expect(steps).toMatchObject([
    { undo: { run: expect.arrayContaining(['qlaunch:test/bridged']) }, owns: { itself: expect.anything() } },
  ]);
});
