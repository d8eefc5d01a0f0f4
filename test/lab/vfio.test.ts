// needs: iommu, modules, vfio
/** Real devices of a real PCI bus: taken, shown, given back. */
import { execFileSync } from 'node:child_process';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import type { VfioRow } from '../../src/plan/vfio/rows.ts';
import { type World, world } from '../tiers/cli.ts';
import { byMac, noRouterAdvertisements, pciState } from './pci-state.ts';

/** A world whose devices all go back at the end, whatever the test did. */
function lab(): World {
  const w = world();
  onTestFinished(async () => void (await w.qlaunch('vfio', 'restore', '--all')));
  return w;
}

async function row(w: World, address: string): Promise<VfioRow | undefined> {
  const { stdout } = await w.qlaunch('vfio', 'list', '--json');
  return (JSON.parse(stdout) as VfioRow[]).find((one) => one.address === address);
}

beforeAll(noRouterAdvertisements);

const ip = (...args: readonly string[]): string => execFileSync('ip', args, { encoding: 'utf8' });

test('bind, list, restore: driver, override and the interface with its address, as before', async () => {
  const w = lab();
  const nic = byMac('52:54:00:00:00:11');
  ip('link', 'set', 'dev', nic.name, 'mtu', '1400', 'up');
  ip('address', 'add', '192.0.2.5/24', 'dev', nic.name);
  const before = pciState();

  const refused = await w.qlaunch('vfio', 'bind', nic.name);
  expect(refused).toMatchObject({ status: 3, stderr: expect.stringContaining('--force=link-up') });
  const bound = await w.qlaunch('vfio', 'bind', nic.name, '--user', 'nobody', '--force', 'link-up');
  expect(bound).toMatchObject({ status: 0 });
  expect(bound.stdout).toContain(`${nic.address} is on vfio-pci`);
  expect(await row(w, nic.address)).toMatchObject({
    driver: 'vfio-pci',
    override: 'vfio-pci',
    netdevs: [],
    viable: true,
  });
  const group = (await row(w, nic.address))?.group;
  expect(execFileSync('stat', ['-c', '%U', `/dev/vfio/${group}`], { encoding: 'utf8' }).trim()).toBe(
    'nobody',
  );

  // The interface is gone; its name still means the device.
  const restored = await w.qlaunch('vfio', 'restore', nic.name);
  expect(restored).toMatchObject({ status: 0, stderr: expect.stringContaining('taken back') });
  expect(pciState()).toEqual(before);
  ip('address', 'flush', 'dev', nic.name);
  ip('link', 'set', 'dev', nic.name, 'down');
});

test('two functions in one group: one is refused with the other’s name, --group takes both', async () => {
  const w = lab();
  const [one, other] = [byMac('52:54:00:00:00:21'), byMac('52:54:00:00:00:22')];
  const before = pciState();
  const refused = await w.qlaunch('vfio', 'bind', one.address);
  expect(refused).toMatchObject({ status: 3, stderr: expect.stringContaining(other.address) });
  expect(pciState()).toEqual(before);

  expect(await w.qlaunch('vfio', 'bind', one.address, '--group')).toMatchObject({ status: 0 });
  expect((await row(w, other.address))?.driver).toBe('vfio-pci');
  expect(await w.qlaunch('vfio', 'restore', '--all')).toMatchObject({ status: 0 });
  expect(pciState()).toEqual(before);
});

test('the NIC that carries the default route is refused, through a bridge too', async () => {
  const w = lab();
  const nic = byMac('52:54:00:00:00:31');
  ip('link', 'add', 'br7', 'type', 'bridge');
  onTestFinished(() => void ip('link', 'delete', 'br7'));
  ip('link', 'set', 'dev', nic.name, 'master', 'br7', 'up');
  ip('link', 'set', 'dev', 'br7', 'up');
  ip('address', 'add', '198.51.100.2/24', 'dev', 'br7');
  ip('route', 'add', 'default', 'via', '198.51.100.1', 'dev', 'br7', 'metric', '7');
  const before = pciState();
  const refused = await w.qlaunch('vfio', 'bind', nic.address);
  expect(refused.status).toBe(3);
  expect(refused.stderr).toContain(`${nic.address} → ${nic.name} → br7 (default route)`);
  expect(pciState()).toEqual(before);
});

test('a conventional bridge and all behind it: the bridge stays, the NICs go', async () => {
  const w = lab();
  const [one, other] = [byMac('52:54:00:00:00:41'), byMac('52:54:00:00:00:42')];
  const before = pciState();
  expect(await w.qlaunch('vfio', 'bind', one.address, '--group')).toMatchObject({ status: 0 });
  expect(await row(w, other.address)).toMatchObject({ driver: 'vfio-pci', viable: true });
  expect(await w.qlaunch('vfio', 'restore', other.address)).toMatchObject({ status: 0 });
  expect(pciState()).toEqual(before);
});

test('unbind leaves it without a driver and without an override, and restore brings both back', async () => {
  const w = lab();
  const nic = byMac('52:54:00:00:00:11');
  const before = pciState();
  expect(await w.qlaunch('vfio', 'unbind', nic.address)).toMatchObject({ status: 0 });
  expect(await row(w, nic.address)).toMatchObject({ driver: null, override: '' });
  expect(await w.qlaunch('vfio', 'restore', nic.address)).toMatchObject({ status: 0 });
  expect(pciState()).toEqual(before);
});

test('--confirm: what nobody confirms goes back by itself', async () => {
  const w = lab();
  const nic = byMac('52:54:00:00:00:11');
  const before = pciState();
  const bound = await w.qlaunch('vfio', 'bind', nic.address, '--confirm', '5s');
  expect([bound.status, bound.stderr]).toEqual([0, expect.any(String)]);
  // The whole path, for sudo does not find a qlaunch in dist/.
  expect(bound.stdout).toMatch(/keep {5}sudo \/\S+\/qlaunch confirm \S+ {3}# within 5 s/);
  await expect.poll(() => pciState(), { timeout: 180_000, interval: 500 }).toEqual(before);
});
