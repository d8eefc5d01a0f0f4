import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readLeaseFile } from '../../../../src/host/nat/leases.ts';
import { scratchDir } from '../../../tiers/guest.ts';

test('dnsmasq’s leases of both families; those that are over are not shown', () => {
  const file = join(scratchDir(), 'x.leases');
  writeFileSync(
    file,
    `0 52:54:00:00:00:01 10.98.0.10 web 01:52:54:00:00:00:01
1 52:54:00:00:00:02 10.98.0.11 * *
duid 00:01:00:01:2a:2a:2a:2a:52:54:00:aa:bb:cc
0 5505025 fd98::100 web 00:01:00:01:2a:2a:2a:2a:52:54:00:00:00:01
0 T5505025 fd98::101 * 00:03:00:01:52:54:00:00:00:02
0 1 fd98::102 * 00:02:00:00:ab:11:00:01
nonsense
`,
  );
  expect(readLeaseFile(file)).toEqual([
    { address: '10.98.0.10', mac: '52:54:00:00:00:01', name: 'web' },
    { address: 'fd98::100', mac: '52:54:00:00:00:01', name: 'web' },
    { address: 'fd98::101', mac: '52:54:00:00:00:02' },
    { address: 'fd98::102' },
  ]);
});
