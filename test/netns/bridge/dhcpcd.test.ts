// needs: bridge, veth
import { execFileSync, spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { endClient } from '../../../src/plan/bridge/dhcp.ts';
import { scratchDir } from '../../tiers/guest.ts';
import { CREATE, expectAlive, leaseOn, reverted } from './handover.ts';
import { hostWith, NETWORK_MANAGERS } from './managers.ts';
import { cable, ip, NIC, quiet, settled, talk } from './outside.ts';
import { server } from './server.ts';

const DHCPCD = `${NETWORK_MANAGERS}/usr/sbin/dhcpcd`;

/** Its processes that speak for a link, without their helpers. */
const masters = (): readonly { readonly pid: number; readonly link: string }[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      const path = `/proc/${pid}/cmdline`;
      const [, link] = /^dhcpcd: ([^[ ]\S*)/.exec(existsSync(path) ? readFileSync(path, 'utf8') : '') ?? [];
      return link === undefined ? [] : [{ pid: Number(pid), link }];
    });

const running = (): readonly string[] => masters().map(({ link }) => link);

test('dhcpcd, which writes over its command line, goes on on the bridge with its lease, and on the NIC again', async () => {
  const of = hostWith(`${NETWORK_MANAGERS}/usr/sbin`, '/run/dhcpcd', '/var/lib/dhcpcd');
  const { qlaunch } = of;
  // It gives its rights away to this user.
  if (!readFileSync('/etc/passwd', 'utf8').includes('\ndhcpcd:')) {
    appendFileSync('/etc/passwd', 'dhcpcd:x:997:65534::/run/dhcpcd-home:/usr/sbin/nologin\n');
    mkdirSync('/run/dhcpcd-home', { recursive: true });
  }
  cable();
  const dir = scratchDir();
  const said = await server(dir);
  onTestFinished(() => {
    for (const link of running()) execFileSync(DHCPCD, ['-4', '-x', link], { stdio: 'ignore' });
  });
  execFileSync(DHCPCD, ['-4', NIC], { stdio: 'ignore' });
  const leased = await leaseOn(NIC);
  await quiet();
  const default4 = ip('route show default');
  const end = await talk([leased]);

  expect(await qlaunch(...CREATE)).toMatchObject({ status: 0, stderr: '' });
  expect(running()).toEqual(['br0']);
  await settled(() => said().split('DHCPACK').length > 2);
  expect(ip('-4 -o address show dev br0')).toContain(`inet ${leased}/24`);
  expect(ip('route show default')).toBe(default4.replace(NIC, 'br0'));
  expect(readFileSync(join(dir, 'leases'), 'utf8').trim().split('\n')).toHaveLength(1);
  expect(await qlaunch('bridge', 'confirm')).toMatchObject({ status: 0 });
  expect(await qlaunch('bridge', 'delete', 'br0')).toMatchObject({ status: 0 });
  expect(running()).toEqual([NIC]);
  expect(ip(`-4 -o address show dev ${NIC}`)).toContain(`inet ${leased}/24`);

  expect(await qlaunch(...CREATE, '--confirm', '5s')).toMatchObject({ status: 0 });
  // On a busy host it was seen not to hear that it is to end.
  for (const { pid } of masters()) process.kill(pid, 'SIGSTOP');
  await reverted(of);
  expect(running()).toEqual([NIC]);
  expect(ip(`-4 -o address show dev ${NIC}`)).toContain(`inet ${leased}/24`);
  expect(ip('route show default')).toBe(default4);
  expect(said()).not.toContain('DHCPRELEASE');
  for (const stream of await end()) expectAlive(stream);
}, 180_000);

test('of a dhcpcd that neither ends nor says who it is nobody is killed', () => {
  const path = join(scratchDir(), 'dhcpcd');
  writeFileSync(path, '#!/bin/sh\n[ "$2" = -P ] || exec sleep 20\n', { mode: 0o755 });
  const argv = [path, '-4', '-b', '-q', NIC] as const;
  const { do: end } = endClient({ program: 'dhcpcd', pid: 1, start: '1', argv }, NIC, { itself: 'nothing' });
  const [program, ...words] = 'run' in end ? end.run : [''];
  // 137: the one that was asked to end it took too long.
  expect(spawnSync(program, words, { encoding: 'utf8' })).toMatchObject({ status: 137, stderr: 'Killed\n' });
});
