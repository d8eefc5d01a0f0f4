// needs: bridge, veth
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { world } from '../../tiers/cli.ts';
import { scratchDir } from '../../tiers/guest.ts';
import { cable, ip, NIC, quiet, settled, talk } from './outside.ts';
import { server } from './server.ts';

/** What every script of udhcpc does (busybox examples/udhcp/simple.script): empty at the start, set when bound. */
const script = (log: string): string => `#!/bin/sh
echo "$1 $interface $ip" >> ${log}
case $1 in
  deconfig) ip -4 address flush dev "$interface"; ip link set "$interface" up ;;
  bound | renew)
    ip -4 address replace "$ip/$mask" broadcast + dev "$interface"
    ip route replace default via "$router" dev "$interface" metric 7 ;;
esac
`;

const clients = (link: string): readonly string[] =>
  spawnSync('pgrep', ['-f', `^(busybox udhcpc|dhclient) .*${link}`], { encoding: 'utf8' })
    .stdout.split('\n')
    .filter(Boolean);

/** Until it goes into the background, with its lease. */
const start = (...argv: readonly string[]): void =>
  void execFileSync('sh', ['-c', 'exec "$@"', 'sh', ...argv], { stdio: 'ignore' });

function endClients(): void {
  for (const link of [NIC, 'br0']) for (const pid of clients(link)) process.kill(Number(pid), 'SIGKILL');
}

test('udhcpc goes on on the bridge with its lease, and on the NIC again; other addresses live through both', async () => {
  const { qlaunch } = world();
  const dir = scratchDir();
  cable();
  const said = await server(dir);
  const log = join(dir, 'udhcpc.log');
  writeFileSync(join(dir, 'script'), script(log), { mode: 0o755 });
  onTestFinished(endClients);
  const line = ['udhcpc', '-b', '-i', NIC, '-p', join(dir, `udhcpc.${NIC}.pid`), '-s', join(dir, 'script')];
  start('busybox', ...line);
  const leased = /inet (10\.9\.0\.1\d\d)\/24/.exec(ip(`-4 -o address show dev ${NIC}`))?.[1] ?? '';
  expect(leased).not.toBe('');
  ip(`address add 10.8.0.5/16 dev ${NIC}`);
  ip('route add 10.7.0.0/16 via 10.8.0.1');
  await quiet();
  const end = await talk([leased]);

  expect(await qlaunch('bridge', 'create', 'br0', '--uplink', NIC)).toMatchObject({ status: 0, stderr: '' });
  expect([clients(NIC).length, clients('br0').length]).toEqual([0, 1]);
  const bound = (link: string): boolean => readFileSync(log, 'utf8').includes(`bound ${link} ${leased}\n`);
  await settled(() => bound('br0'));
  // The same client to the server: one lease, of the one address.
  expect(readFileSync(join(dir, 'leases'), 'utf8').trim().split('\n')).toHaveLength(1);
  expect(ip('-4 -o address show dev br0')).toContain('10.8.0.5/16');
  expect(ip('route show')).toContain('10.7.0.0/16 via 10.8.0.1 dev br0');
  const answers = said().split('DHCPACK').length;
  process.kill(Number(clients('br0')[0]), 'SIGUSR1');
  await settled(() => said().split('DHCPACK').length > answers);

  await qlaunch('bridge', 'confirm', 'br0');
  writeFileSync(log, '');
  expect(await qlaunch('bridge', 'delete', 'br0')).toMatchObject({ status: 0 });
  expect([clients(NIC).length, clients('br0').length]).toEqual([1, 0]);
  await settled(() => bound(NIC));
  expect(ip(`-4 -o address show dev ${NIC}`)).toContain(`inet ${leased}/24`);
  expect(ip(`-4 -o address show dev ${NIC}`)).toContain('10.8.0.5/16');
  expect(ip('route show')).toContain(`10.7.0.0/16 via 10.8.0.1 dev ${NIC}`);
  expect(said()).not.toContain('DHCPRELEASE');
  for (const stream of await end()) expect(stream).toMatchObject({ ended: false });
}, 120_000);

/** As dhclient-script(8) does it, without the name servers. */
const dhclientScript = (log: string): string => `#!/bin/sh
echo "$reason $interface $new_ip_address" >> ${log}
case $reason in
  PREINIT) ip -4 address flush dev "$interface"; ip link set "$interface" up ;;
  BOUND | RENEW | REBIND | REBOOT)
    ip -4 address replace "$new_ip_address/24" broadcast + dev "$interface" valid_lft "$new_dhcp_lease_time" preferred_lft "$new_dhcp_lease_time"
    ip route replace default via "$new_routers" dev "$interface" metric 7 ;;
esac
`;

test('dhclient keeps its DUID, which is in its lease file: the same address on the bridge, and on the NIC again', async () => {
  const { qlaunch } = world();
  const dir = scratchDir();
  cable();
  const said = await server(dir);
  const log = join(dir, 'dhclient.log');
  writeFileSync(join(dir, 'script'), dhclientScript(log), { mode: 0o755 });
  onTestFinished(endClients);
  const files = ['-pf', join(dir, `dhclient.${NIC}.pid`), '-lf', join(dir, `dhclient.${NIC}.leases`)];
  start('dhclient', '-4', '-i', ...files, '-sf', join(dir, 'script'), '-cf', '/dev/null', NIC);
  const leased = /inet (10\.9\.0\.1\d\d)\/24/.exec(ip(`-4 -o address show dev ${NIC}`))?.[1] ?? '';
  expect(leased).not.toBe('');
  await quiet();
  const end = await talk([leased]);

  expect(await qlaunch('bridge', 'create', 'br0', '--uplink', NIC)).toMatchObject({ status: 0, stderr: '' });
  const got = (link: string): boolean =>
    new RegExp(`(BOUND|REBOOT|RENEW) ${link} ${leased}\n`).test(readFileSync(log, 'utf8'));
  await settled(() => got('br0'));
  expect(readFileSync(join(dir, 'leases'), 'utf8').trim().split('\n')).toHaveLength(1);
  expect(ip('-4 -o address show dev br0').match(/inet /g)).toHaveLength(1);

  await qlaunch('bridge', 'revert');
  expect([clients(NIC).length, clients('br0').length]).toEqual([1, 0]);
  expect(ip(`-4 -o address show dev ${NIC}`)).toContain(`inet ${leased}/24`);
  expect(said()).not.toContain('DHCPRELEASE');
  for (const stream of await end()) expect(stream).toMatchObject({ ended: false });
}, 120_000);

test('a client that somebody would start again is not handed over behind his back', async () => {
  const { qlaunch } = world();
  cable();
  ip(`address add 10.9.0.50/24 dev ${NIC}`);
  await quiet();
  const line = ['busybox', 'udhcpc', '-f', '-i', NIC, '-s', '/bin/true'];
  const child = spawn('sh', ['-c', 'exec "$@"', 'sh', ...line], { stdio: 'ignore' });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child, 'spawn');
  await settled(() => clients(NIC).length === 1 || child.exitCode !== null);
  const { status, stderr } = await qlaunch('bridge', 'create', 'br0', '--uplink', NIC);
  expect(status).toBe(3);
  expect(stderr).toContain(`udhcpc (pid ${child.pid}) asks for its address by DHCP`);
}, 60_000);
