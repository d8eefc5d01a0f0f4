// needs: bridge, veth
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { scratchDir } from '../../tiers/guest.ts';
import { hostWith } from './managers.ts';
import { cable, ip, NIC, quiet } from './outside.ts';
import { resolvectlIn, resolved } from './resolved.ts';
import { server } from './server.ts';

test("what systemd-resolved has for the NIC is the bridge's, and the NIC's again when that goes", async () => {
  const dir = scratchDir();
  const { bin, resolvectl } = resolvectlIn(dir);
  const { qlaunch } = hostWith(bin);
  cable();
  ip(`address add 10.9.0.50/24 dev ${NIC}`);
  await server(dir, { dns: true });
  await resolved(dir);
  await quiet();
  await expect.poll(() => resolvectl('dns', NIC, '10.9.0.1', '10.9.0.200'), { timeout: 30_000 }).toBe('');
  resolvectl('domain', NIC, 'lan.test', '~corp.test');
  resolvectl('default-route', NIC, 'yes');
  const index = (link: string): string => readFileSync(`/sys/class/net/${link}/ifindex`, 'utf8').trim();
  const kept = (link: string): string =>
    existsSync(`/run/systemd/resolve/netif/${index(link)}`)
      ? readFileSync(`/run/systemd/resolve/netif/${index(link)}`, 'utf8')
      : '';
  const before = kept(NIC);
  expect(before).toContain('SERVERS=10.9.0.1 10.9.0.200\n');

  const made = await qlaunch('bridge', 'create', 'br0', '--uplink', NIC);
  expect(made).toMatchObject({ status: 0, stderr: '' });
  expect(made.stdout).toContain('  proven   the name server 10.9.0.1 answers as before\n');
  expect(kept('br0')).toBe(before);
  expect(kept(NIC)).not.toContain('SERVERS=');
  expect(await qlaunch('bridge', 'revert')).toMatchObject({ status: 0 });
  expect(kept(NIC)).toBe(before);
}, 90_000);
