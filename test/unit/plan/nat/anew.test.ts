import { expect, test } from 'vitest';
import { anew } from '../../../../src/plan/nat/anew.ts';
import { forwardSteps } from '../../../../src/plan/nat/guest.ts';
import { renderPlan } from '../../../../src/plan/render.ts';

const GUEST = { tap: 'qt-a0', mac: '', address: '10.9.0.5', bridge: 'lab0', subnet: '10.9.0.0/24' };
const FORWARD = { proto: 'tcp', address: '203.0.113.2', hostPort: 8080, guestPort: 80 } as const;

test('what is left of a forward goes before it is made again: at once, by nft and by iptables', () => {
  const shown = (iptables: boolean): string =>
    renderPlan({
      steps: forwardSteps(
        { ...GUEST, ...(iptables ? { iptables } : {}) },
        FORWARD,
        'qlaunch:vm/web:0123456789ab',
      ).flatMap(anew),
    });
  expect(shown(false)).toMatch(/add table (inet \S+)\ndelete table \1\ncreate table \1 /);
  expect(shown(true)).toMatch(/ remake-chains iptables qlaunch_fwd_\S+ <<'END'\n\*nat\n-N qlaunch_fwd_/);
});
