// needs: bridge, nft_inet, nft_nat, veth
/** IPv6 of NAT networks on the real kernel, behind a router that advertises itself. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { differences, snapshot } from '../../snapshot.ts';
import { world } from '../../tiers/cli.ts';
import { advertisedRoute, internet, UPLINK, until } from '../../tiers/internet.ts';
import { station } from '../../tiers/station.ts';

const DUAL = `<network><name>dual</name><forward mode='nat'/><bridge name='dual0' stp='off'/><domain name='dual.test'/>
  <ip address='10.98.0.1' prefix='24'><dhcp><range start='10.98.0.10' end='10.98.0.90'/></dhcp></ip>
  <ip family='ipv6' address='fd98::1' prefix='64'><dhcp><range start='fd98::100' end='fd98::1ff'/></dhcp></ip></network>`;

const sysctl = (name: string): string => readFileSync(`/proc/sys/net/ipv6/conf/${name}`, 'utf8').trim();

test('a guest has both families and the internet by both; the host keeps the route that was advertised to it', async () => {
  const { nonce, url, url6, askedBy } = await internet({ ipv6: true });
  const w = world();
  onTestFinished(async () => {
    for (const name of ['dual', 'default']) await w.qlaunch('net', 'stop', name, '--force');
  });
  writeFileSync(join(w.dir, 'dual.xml'), DUAL);
  expect(await w.qlaunch('net', 'define', 'dual.xml')).toMatchObject({ status: 0, stderr: '' });
  const before = snapshot();
  const route = advertisedRoute().replace(/expires.*/, '');
  expect(sysctl('wan0/accept_ra')).toBe('1');
  expect(await w.qlaunch('net', 'start', 'dual')).toMatchObject({ status: 0, stderr: '' });
  expect(advertisedRoute().replace(/expires.*/, '')).toBe(route);
  expect([sysctl('all/forwarding'), sysctl('wan0/accept_ra')]).toEqual(['1', '2']);
  // And it is still heard: what somebody takes away comes again.
  execFileSync('ip', ['-6', 'route', 'delete', 'default', 'dev', 'wan0']);
  await until(() => advertisedRoute() !== '', 'a router advertisement on a host that routes');

  const guest = station('guest', 'dual0');
  expect(guest.dhcp()).toMatch(/^10\.98\.0\.\d+$/);
  // The address that it makes itself, its router, and the address that it is given.
  await until(
    () => /inet6 fd98::[^/]+\/64 (?!.*tentative)/.test(guest.run('ip', '-6', '-o', 'address', 'show')),
    'the guest’s own address',
  );
  expect(guest.run('ip', '-6', 'route', 'show', 'default')).toMatch(
    /default via fe80::\S+ dev eth0 proto ra/,
  );
  expect(guest.dhcp6()).toMatch(/^fd98::1[0-9a-f]{2}$/);
  expect(guest.fetch(url)).toBe(`${nonce}\n`);
  expect(guest.fetch(url6)).toBe(`${nonce}\n`);
  await until(() => askedBy.length === 2, 'the web server’s word');
  expect(askedBy.map((who) => who.replace(/:\d+$/, ''))).toEqual([
    UPLINK,
    expect.stringMatching(/^\[2001:db8:1:/),
  ]);
  for (const who of askedBy) expect(Number(/\d+$/.exec(who)?.[0])).toBeGreaterThanOrEqual(1024);
  // From outside nobody begins.
  execFileSync('ip', ['-n', 'router', 'route', 'add', 'fd98::/64', 'via', uplinkAddress()]);
  const own = /inet6 (fd98::1[0-9a-f]{2})\//.exec(guest.run('ip', '-6', '-o', 'address', 'show'))?.[1] ?? '';
  expect(guest.status('ping', '-6', '-c1', '-W3', 'fd98::1')).toBe(0);
  expect(() => execFileSync('ip', ['netns', 'exec', 'router', 'ping', '-6', '-c1', '-W1', own])).toThrow();

  expect((await w.qlaunch('net', 'leases', 'dual')).stdout).toContain(own);
  // The built-in network beside it has a prefix of its own, which is kept; the last one puts everything back.
  expect(await w.qlaunch('net', 'start', 'default')).toMatchObject({ status: 0, stderr: '' });
  const xml = (await w.qlaunch('net', 'dumpxml', 'default')).stdout;
  const prefix = /address="(fd[^"]+)::1"/.exec(xml)?.[1];
  expect((await w.qlaunch('net', 'list')).stdout).toContain(`${prefix}::1/64`);
  guest.unplug();
  expect(await w.qlaunch('net', 'stop', 'dual')).toMatchObject({ status: 0 });
  expect([sysctl('all/forwarding'), sysctl('wan0/accept_ra')]).toEqual(['1', '2']);
  expect(await w.qlaunch('net', 'stop', 'default')).toMatchObject({ status: 0 });
  expect(sysctl('wan0/accept_ra')).toBe('1');
  expect(differences(before, snapshot())).toEqual([]);
}, 120_000);

/** Of the host, on its uplink. */
function uplinkAddress(): string {
  const text = execFileSync('ip', ['-6', '-o', 'address', 'show', 'dev', 'wan0'], { encoding: 'utf8' });
  return /inet6 (2001:db8:1:[^/]+)\//.exec(text)?.[1] ?? 'none';
}
