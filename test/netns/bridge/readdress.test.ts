// needs: bridge, veth
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { expect, onTestFinished, test, vi } from 'vitest';
import { differences, type Snapshot, snapshot } from '../../snapshot.ts';
import { world } from '../../tiers/cli.ts';
import { scratchDir } from '../../tiers/guest.ts';
import { cable, carry, ip, NIC, quiet, STATIC, talk } from './outside.ts';
import { server } from './server.ts';

const look = (): Snapshot => snapshot({ files: [] });
const CREATE = ['bridge', 'create', 'br0', '--uplink', NIC];

test('--address: the bridge has it in place of the others of its family, and the NIC all of its own when that goes', async () => {
  const { qlaunch } = world();
  cable();
  carry(STATIC);
  await quiet();
  const before = look();
  const end = await talk(['fd09::50']);
  const made = await qlaunch(...CREATE, '--address', '10.9.0.77/24', '--address', '10.6.0.1/16');
  expect(made).toMatchObject({ status: 0, stderr: '' });
  expect(made.stdout).toContain(`br0 is there with addresses of its own, and ${NIC} is its port now`);
  expect(made.stdout).toContain('  proven   the gateway 10.9.0.1 answers over br0\n');
  // Its source address is gone.
  expect(made.stdout).toContain('  gone     the route 10.1.0.0/16 via 10.9.0.1 table 100');
  const v4 = [...ip('-4 -o address show dev br0').matchAll(/inet (\S+)/g)].map(([, cidr]) => cidr);
  expect(v4).toEqual(['10.9.0.77/24', '10.6.0.1/16']);
  expect(ip('-6 -o address show dev br0')).toContain('fd09::50/64');
  expect(ip('route show default')).toContain('default via 10.9.0.1 dev br0 metric 100');
  expect(ip(`-o address show dev ${NIC}`)).toBe('');
  // dmesg's "entered promiscuous mode" and "entered forwarding state".
  expect((await qlaunch('bridge', 'show', 'br0', '--json')).stdout).toContain(
    `{"name":"${NIC}","kind":"veth","state":"forwarding","promiscuous":true}`,
  );
  expect(await qlaunch('bridge', 'confirm')).toMatchObject({ status: 0 });
  expect(await qlaunch('bridge', 'delete', 'br0')).toMatchObject({ status: 0 });
  expect(differences(before, look())).toEqual([]);
  for (const stream of await end()) expect(stream).toMatchObject({ ended: false });
});

test('--dhcp: what the server gives is proven, or all is put back; the NIC has its own again afterwards', async () => {
  const { qlaunch } = world();
  cable();
  carry(STATIC);
  await quiet();
  const before = look();
  const none = await qlaunch(...CREATE, '--dhcp');
  expect(none.status).toBe(4);
  expect(none.stderr).toMatch(/no DHCP server gave br0 an address[\s\S]*all is as it was before/);
  expect(differences(before, look())).toEqual([]);

  await server(scratchDir(), { dns: true });
  const file = '/etc/resolv.conf';
  const [own, kept] = ['# by hand\nnameserver 127.0.0.9\n', readFileSync(file)];
  onTestFinished(() => writeFileSync(file, kept));
  writeFileSync(file, own);
  chmodSync(file, 0o640);
  expect(await qlaunch(...CREATE, '--dhcp')).toMatchObject({ status: 0, stderr: '' });
  expect(ip('-4 -o address show dev br0')).toMatch(/inet 10\.9\.0\.1\d\d\/24/);
  expect(ip('-4 -o address show dev br0')).not.toContain('10.9.0.50');
  expect(ip('route show default')).toContain('default via 10.9.0.1 dev br0');
  // By dhclient-script.
  expect(readFileSync(file, 'utf8')).toContain('nameserver 10.9.0.1\n');
  expect(await qlaunch('bridge', 'revert')).toMatchObject({ status: 0 });
  expect(differences(before, look())).toEqual([]);
  expect([readFileSync(file, 'utf8'), statSync(file).mode & 0o777]).toEqual([own, 0o640]);

  // What somebody wrote since is his.
  expect(await qlaunch(...CREATE, '--dhcp', '--no-confirm')).toMatchObject({ status: 0, stderr: '' });
  const edited = `${readFileSync(file, 'utf8')}options edns0\n`;
  writeFileSync(file, edited);
  const deleted = await qlaunch('bridge', 'delete', 'br0');
  expect(deleted.status).toBe(0);
  expect(deleted.stdout + deleted.stderr).toContain(
    `left alone: ${file} was changed since; before the bridge it had: nameserver 127.0.0.9`,
  );
  expect(readFileSync(file, 'utf8')).toBe(edited);
  expect(differences(before, look())).toEqual([]);

  // The watcher leaves it alone as well, and leaves nothing.
  writeFileSync(file, own);
  expect(await qlaunch(...CREATE, '--dhcp', '--confirm', '15s')).toMatchObject({ status: 0, stderr: '' });
  writeFileSync(file, edited);
  const open = async (): Promise<string> => (await qlaunch('changes', '--json')).stdout.trim();
  await expect.poll(open, { timeout: 60_000, interval: 1_000 }).toBe('[]');
  expect(readFileSync(file, 'utf8')).toBe(edited);
  expect(differences(before, look())).toEqual([]);
}, 180_000);

test('who is logged in over an address that would be gone is not cut off; mistakes are told before', async () => {
  const { qlaunch } = world();
  cable();
  carry(STATIC);
  await quiet();
  vi.stubEnv('SSH_CONNECTION', '10.9.0.1 50000 10.9.0.50 22');
  const before = look();
  const cut = await qlaunch(...CREATE, '--address', '10.9.0.77/24');
  expect(cut.status).toBe(3);
  expect(cut.stderr).toContain('your session (10.9.0.1) is with 10.9.0.50, which br0 would not have');
  expect(cut.stderr).toContain('--address 10.9.0.50/24');
  expect((await qlaunch(...CREATE, '--dhcp')).stderr).toContain('which br0 may not get');
  const wrong = await qlaunch(...CREATE, '--dhcp', '--address', '10.9.0.0/24');
  expect(wrong.status).toBe(2);
  for (const at of ['--address: the bridge has', 'the network itself']) expect(wrong.stderr).toContain(at);
  expect(differences(before, look())).toEqual([]);
  const both = await qlaunch(...CREATE, '--address', '10.9.0.77/24', '--address', '10.9.0.50/24');
  expect(both).toMatchObject({ status: 0 });
  expect(both.stdout).toContain('  proven   the way to your session (10.9.0.1) leads over br0\n');
  expect(await qlaunch('bridge', 'revert')).toMatchObject({ status: 0 });
  expect(differences(before, look())).toEqual([]);
});
