// lab: no-intremap
// needs: iommu, modules, vfio
import { expect, test } from 'vitest';
import { world } from '../tiers/cli.ts';
import { byMac, pciState } from './pci-state.ts';

test('without interrupt remapping QEMU is refused by the kernel: its words, what they mean, and the NIC is back', async () => {
  const w = world();
  const { address } = byMac('52:54:00:00:00:11');
  const before = pciState();
  const net = ['--memory', '64', '--accel', 'tcg', '--net', `vfio:${address}`, '--', '-S'];
  const refused = await w.qlaunch('run', '-d', '--name', 'unmapped', ...net);
  expect(refused).toMatchObject({ status: 4, stderr: expect.stringContaining('Operation not permitted') });
  expect(refused.stderr).toContain('cannot remap interrupts');
  await expect.poll(() => pciState(), { timeout: 180_000, interval: 500 }).toEqual(before);
});
