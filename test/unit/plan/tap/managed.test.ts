import { expect, test } from 'vitest';
import type { HostFacts } from '../../../../src/plan/facts.ts';
import { planTaps } from '../../../../src/plan/tap/managed.ts';

const BRIDGE = { ifindex: 2, ifname: 'br0', mtu: 1500, flags: ['UP'], link_type: 'ether', addresses: [] };
const HOST: HostFacts = { links: [{ ...BRIDGE, kind: 'bridge' }], token: '0123456789ab' };

test('the filter is there before the tap and until after it', () => {
  const wish = { name: 't0', uid: 1000, queues: 1, bridge: 'br0', antispoof: [] } as const;
  const titles = planTaps([wish, { ...wish, name: 't1' }], { vm: 'web' }, HOST).steps.map(
    ({ title }) => title,
  );
  expect(titles).toEqual([
    'filter what comes from t0',
    'filter what comes from t1',
    'make the tap t0 on br0, t1 on br0',
  ]);
});
