// lab: no-iommu
// needs: modules
import { expect, test } from 'vitest';
import { world } from '../tiers/cli.ts';
import { byMac, pciState } from './pci-state.ts';

test('without an IOMMU everything is refused before it begins, and said what is missing', async () => {
  const w = world();
  const { address } = byMac('52:54:00:00:00:11');
  const before = pciState();
  expect(await w.qlaunch('vfio', 'bind', address)).toMatchObject({
    status: 3,
    stderr: expect.stringMatching(/no IOMMU is at work[\s\S]*VT-d/),
  });
  const net = ['--memory', '64', '--accel', 'tcg', '--net', `vfio:${address}`, '--', '-S'];
  expect(await w.qlaunch('run', '--name', 'none', ...net)).toMatchObject({
    status: 3,
    stderr: expect.stringContaining('no IOMMU is at work'),
  });
  const { status, stdout } = await w.qlaunch('vfio', 'explain', address);
  expect({ status, stdout }).toMatchObject({
    status: 3,
    stdout: expect.stringContaining('no iommu_group found'),
  });
  expect(pciState()).toEqual(before);
});
