// needs: bridge, nft_inet, nft_nat, veth
/** firewalld itself, on a bus of its own: a network gets its zone, keeps this host closed, and gives the zone back. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { differences, snapshot } from '../../snapshot.ts';
import { internet, UPLINK, until } from '../../tiers/internet.ts';
import { type Station, station } from '../../tiers/station.ts';
import { firewalld, said, sh } from './daemons.ts';
import { lab, reaches, rules, serve } from './lab.ts';

/** As libvirt installs it (its src/network/libvirt.zone). */
const LIBVIRT = `<?xml version="1.0" encoding="utf-8"?>
<zone target="ACCEPT"><short>libvirt</short>
<rule priority='32767'><reject/></rule>
<protocol value='icmp'/><protocol value='ipv6-icmp'/>
<service name='dhcp'/><service name='dhcpv6'/><service name='dns'/><service name='ssh'/><service name='tftp'/>
</zone>
`;

/** Its table is another one after a reload. */
const isReload = (line: string): boolean => / nft \[table .* name="firewalld" table handle=\d+\]/.test(line);

const zoneOf = (): string => said('firewall-cmd --get-zone-of-interface=lab0');

/** First: a client for IPv4 takes all of IPv6 away. */
async function hasIPv6(guest: Station): Promise<void> {
  // It has heard its router.
  const addresses = (): string => guest.run('ip', '-6', '-o', 'address', 'show', 'dev', 'eth0');
  await until(() => /inet6 fd98::[^/]+\/64 (?!.*tentative)/.test(addresses()), 'the guest’s own address');
  expect(guest.dhcp6()).toMatch(/^fd98::/);
  expect({ ssh: reaches(guest, 22, 'fd98::1'), other: reaches(guest, 8080, 'fd98::1') }).toEqual({
    ssh: true,
    other: false,
  });
}

/** What guests get, and what they do not. */
function worksFor(guest: Station, url: string, nonce: string): () => void {
  const address = guest.dhcp();
  expect(address).toMatch(/^10\.98\.0\./);
  return () => {
    expect(guest.resolve('guest.lab.example', '10.98.0.1')).toEqual([address]);
    expect(guest.fetch(url)).toBe(`${nonce}\n`);
    expect(guest.status('busybox', 'ping', '-c', '1', '-W', '2', '10.98.0.1')).toBe(0);
    expect({
      ssh: reaches(guest, 22),
      other: reaches(guest, 8080),
      otherAddress: reaches(guest, 8080, UPLINK),
    }).toEqual({ ssh: true, other: false, otherAddress: false });
  };
}

test('firewalld with its own zones: opened, opened again after a reload, and the zone from before put back', async () => {
  await firewalld();
  const { nonce, url } = await internet();
  const w = await lab();
  for (const port of [22, 8080]) await serve(port);
  // An administrator has thought of the bridge already.
  sh('firewall-cmd --permanent --zone=internal --change-interface=lab0 && firewall-cmd --reload');
  const zones = (): string => sh('firewall-cmd --list-all-zones');
  const [before, rulesBefore, zonesBefore] = [snapshot(), rules(), zones()];

  const started = await w.qlaunch('net', 'start', 'lab');
  expect(started).toMatchObject({
    status: 0,
    stderr: expect.stringMatching(/^qlaunch: firewalld drops in inet firewalld filter_INPUT .*guests ask/m),
  });
  // It was tried.
  expect(started.stderr).not.toContain('gets no answer');
  expect(zoneOf()).toBe('trusted');
  const guest = station('guest', 'lab0');
  await hasIPv6(guest);
  const works = worksFor(guest, url, nonce);
  works();

  // It forgets what was not said to be for good (FlushAllOnReload, firewalld.conf(5)).
  sh('firewall-cmd --reload');
  expect(await w.qlaunch('net', 'check', 'lab', '--no-probe')).toMatchObject({
    status: 3,
    stdout: expect.stringMatching(
      /firewalld drops in inet firewalld filter_INPUT .*; lab0 is not in its zone trusted any more, which "firewall-cmd --reload" forgets\n +try: sudo \S*qlaunch net check lab --fix/,
    ),
  });
  expect(await w.qlaunch('net', 'check', 'lab', '--fix')).toMatchObject({ status: 0 });
  expect(zoneOf()).toBe('trusted');
  works();
  // Where our own table is taken away, nothing of it is forgotten.
  sh('nft delete table inet qlaunch_lab');
  expect(await w.qlaunch('net', 'check', 'lab', '--fix', '--no-probe')).toMatchObject({ status: 0 });
  works();

  // Whoever takes the bridge away first.
  execFileSync('ip', ['link', 'delete', 'dev', 'lab0']);
  expect(await w.qlaunch('net', 'stop', 'lab', '--force')).toMatchObject({ status: 0 });
  expect(zones()).toBe(zonesBefore);
  execFileSync('ip', ['link', 'delete', 'dev', 'guest0']);
  // It keeps the chains of a zone that has been used.
  sh('firewall-cmd --reload');
  expect(rules()).toBe(rulesBefore);
  expect(differences(before, snapshot()).filter((line) => !isReload(line))).toEqual([]);
}, 240_000);

test('firewalld with libvirt’s zone: that one is taken, and left', async () => {
  await firewalld({ 'zones/libvirt.xml': LIBVIRT });
  const { nonce, url } = await internet();
  const w = await lab();
  for (const port of [22, 8080]) await serve(port);
  expect(await w.qlaunch('net', 'start', 'lab', '--no-probe')).toMatchObject({ status: 0 });
  expect(zoneOf()).toBe('libvirt');
  expect(rules()).not.toContain('chain host {');
  worksFor(station('guest', 'lab0'), url, nonce)();
  expect(await w.qlaunch('net', 'check', 'lab', '--no-probe')).toMatchObject({ status: 0 });
  expect(await w.qlaunch('net', 'stop', 'lab', '--force')).toMatchObject({ status: 0 });
  expect(zoneOf()).toBe('no zone');

  // A zone of the administrator's own, which he has not thought to the end.
  sh('firewall-cmd --permanent --new-zone=mine && firewall-cmd --reload');
  const xml = (await w.qlaunch('net', 'dumpxml', 'lab')).stdout.replace('<bridge ', '<bridge zone="mine" ');
  writeFileSync(join(w.dir, 'mine.xml'), xml);
  expect(await w.qlaunch('net', 'define', 'mine.xml')).toMatchObject({ status: 0 });
  const { status, stderr } = await w.qlaunch('net', 'start', 'lab');
  expect([status, stderr]).toEqual([0, expect.not.stringContaining('opened')]);
  const [, cure = 'false'] =
    /try: sudo (firewall-cmd --zone=mine --add-service=dhcp .*?) +#/.exec(stderr) ?? [];
  const asks = async (): Promise<string> =>
    (await w.qlaunch('net', 'check', 'lab', '--fix', '--no-probe')).stdout;
  expect(await asks()).toMatch(/filter_INPUT .*guests ask for an address/);
  sh(cure);
  expect(await asks()).not.toContain('guests ask for an address');
  expect(await w.qlaunch('net', 'stop', 'lab')).toMatchObject({ status: 0 });
}, 240_000);
