// lab: 10.x
// needs: iommu, modules, vfio
/** Virtual functions of an igb, the one NIC with them that QEMU knows. */
import { execFileSync } from 'node:child_process';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import type { VfRow } from '../../src/run/vfio/vf.ts';
import { type World, world } from '../tiers/cli.ts';
import { byMac, noRouterAdvertisements, pciState } from './pci-state.ts';

beforeAll(noRouterAdvertisements);

function lab(): World {
  const w = world();
  onTestFinished(async () => {
    await w.qlaunch('vfio', 'restore', '--all');
    await w.qlaunch('vfio', 'vf', 'release', byMac('52:54:00:00:00:61').address);
  });
  return w;
}

async function vfs(w: World, pf: string): Promise<readonly VfRow[]> {
  return JSON.parse((await w.qlaunch('vfio', 'vf', 'list', pf, '--json')).stdout) as VfRow[];
}

/** As the kernel tells it, not as we do. */
function vfinfo(
  dev: string,
): readonly { readonly address: string; readonly spoofchk: boolean; readonly vlan_list?: unknown }[] {
  const text = execFileSync('ip', ['-j', '-d', 'link', 'show', 'dev', dev], { encoding: 'utf8' });
  return (JSON.parse(text) as { vfinfo_list?: [] }[])[0]?.vfinfo_list ?? [];
}

test('made, set, lent to a VM with a MAC and a VLAN, returned, released: as before', async () => {
  const w = lab();
  const pf = byMac('52:54:00:00:00:61');
  const before = pciState();
  expect(await w.qlaunch('vfio', 'vf', 'create', pf.name, '99')).toMatchObject({
    status: 3,
    stderr: expect.stringContaining('it has 0 of 7'),
  });
  expect(await w.qlaunch('vfio', 'vf', 'create', pf.name, '2')).toMatchObject({ status: 0 });
  const [first, second] = await vfs(w, pf.address);
  expect([first, second]).toMatchObject([
    { index: 0, driver: null, taken: null },
    { index: 1, driver: null, taken: null },
  ]);
  expect(first?.group).not.toBe(second?.group);
  const refused = await w.qlaunch('vfio', 'bind', pf.address);
  expect(refused).toMatchObject({ status: 3, stderr: expect.stringContaining('2 virtual functions') });

  const set = await w.qlaunch(
    'vfio',
    'vf',
    'set',
    `${pf.name}/vf1`,
    'mac=02:aa:00:00:00:01',
    'vlan=10',
    'spoofchk=off',
  );
  expect(set).toMatchObject({ status: 0 });
  expect(vfinfo(pf.name)[1]).toMatchObject({ address: '02:aa:00:00:00:01', spoofchk: false });
  expect(JSON.stringify(vfinfo(pf.name)[1])).toContain('"vlan":10');

  const lent = pciState();
  const admin = vfinfo(pf.name);
  const net = `vf:${pf.name},mac=02:aa:00:00:00:07,vlan=7`;
  const started = await w.qlaunch(
    'run',
    '-d',
    '--name',
    'lent',
    '--memory',
    '64',
    '--accel',
    'tcg',
    '--net',
    net,
    '--',
    '-S',
  );
  expect([started.status, started.stderr]).toEqual([0, expect.any(String)]);
  expect(vfinfo(pf.name)[0]).toMatchObject({ address: '02:aa:00:00:00:07' });
  expect((await vfs(w, pf.name))[0]).toMatchObject({
    driver: 'vfio-pci',
    taken: expect.stringContaining('has it'),
  });
  expect(await w.qlaunch('vfio', 'vf', 'release', pf.name)).toMatchObject({
    status: 3,
    stderr: expect.stringContaining(first?.address ?? ''),
  });
  expect(await w.qlaunch('kill', 'lent')).toMatchObject({ status: 0 });
  await expect.poll(() => pciState(), { timeout: 180_000, interval: 500 }).toEqual(lent);
  expect(vfinfo(pf.name)).toEqual(admin);

  expect(await w.qlaunch('vfio', 'vf', 'release', pf.name)).toMatchObject({ status: 0 });
  expect(pciState()).toEqual(before);
});
