// needs: bridge, veth, vlan_filtering
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { world } from '../../tiers/cli.ts';

const filtering = (): string => readFileSync('/sys/class/net/br0/bridge/vlan_filtering', 'utf8').trim();

test('a bridge is aware of VLANs from its birth, or is made so and back', async () => {
  const { qlaunch } = world();
  expect(await qlaunch('bridge', 'create', 'br0', '--vlan-aware')).toMatchObject({ status: 0 });
  expect(filtering()).toBe('1');
  const { stdout } = await qlaunch('bridge', 'set', 'br0', '--vlan-aware', 'off', '--json');
  expect(filtering()).toBe('0');
  await qlaunch('undo', (JSON.parse(stdout) as { change: string }).change);
  expect(filtering()).toBe('1');
  expect(await qlaunch('bridge', 'delete', 'br0')).toMatchObject({ status: 0 });
});
