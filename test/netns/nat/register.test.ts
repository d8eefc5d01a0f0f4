// needs: bridge, nft_inet, nft_nat
/** <domain register='yes'/> with the systemd-resolved that is to know of it. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { differences, snapshot } from '../../snapshot.ts';
import { scratchDir } from '../../tiers/guest.ts';
import { hostWith } from '../bridge/managers.ts';
import { resolvectlIn, resolved } from '../bridge/resolved.ts';

const LAB = `<network><name>lab</name><forward mode='nat'/><bridge name='lab0' stp='off'/>
  <domain name='lab.test' register='yes'/>
  <dns><host ip='10.98.0.20'><hostname>db</hostname></host></dns>
  <ip address='10.98.0.1' netmask='255.255.255.0'/></network>`;

test('the host finds the names of a network that registers them, and asks it for no others', async () => {
  const dir = scratchDir();
  const { bin, resolvectl } = resolvectlIn(dir);
  const { qlaunch } = hostWith(bin);
  await resolved(dir);
  await expect.poll(() => resolvectl('status'), { timeout: 30_000 }).toContain('Global');
  writeFileSync('/etc/resolv.conf', 'nameserver 127.0.0.53\n');
  const definition = join(dir, 'lab.xml');
  writeFileSync(definition, LAB);
  const before = snapshot();
  onTestFinished(async () => {
    await qlaunch('net', 'stop', 'lab', '--force');
  });
  expect(await qlaunch('net', 'define', definition)).toMatchObject({ status: 0 });

  expect(await qlaunch('net', 'start', 'lab')).toMatchObject({ status: 0, stderr: '' });
  // resolved asks nobody behind a link without a carrier, which a bridge without ports has not.
  for (const line of ['link add v0 type veth peer name v1', 'link set v1 up', 'link set v0 up master lab0'])
    execFileSync('ip', line.split(' '));
  const found = (): string => resolvectl('query', '--legend=no', 'db.lab.test') ?? '';
  await expect.poll(found, { timeout: 30_000 }).toContain('10.98.0.20');
  // dnsmasq does not ask resolved back, which would ask it again.
  expect(resolvectl('query', '--legend=no', 'nobody.lab.test')).toBe(undefined);
  expect(resolvectl('domain', 'lab0')).toContain('~lab.test');
  expect(resolvectl('default-route', 'lab0')).toMatch(/: no$/m);

  execFileSync('ip', ['link', 'delete', 'dev', 'v0']);
  expect(await qlaunch('net', 'stop', 'lab')).toMatchObject({ status: 0 });
  expect(found()).toBe('');
  expect(differences(before, snapshot())).toEqual([]);
}, 90_000);
