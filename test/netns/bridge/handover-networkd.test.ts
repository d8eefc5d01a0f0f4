// needs: bridge, veth
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { World } from '../../tiers/cli.ts';
import { scratchDir } from '../../tiers/guest.ts';
import { CREATE, expectAlive, foreign, killedWhen, leaseOn, look, networkdState } from './handover.ts';
import { bus, generator, hostWith, networkd, programs } from './managers.ts';
import { cable, ip, NIC, settled, talk } from './outside.ts';
import { reserve, server } from './server.ts';
import { askedOutside, guest } from './station.ts';

const DIR = '/etc/systemd/network';
const LIVE = '/run/systemd/network';

const RELOAD = 'networkctl reload';

const LAN = `[Match]
Name=${NIC}

[Network]
DHCP=ipv4
Address=10.8.0.5/16
Address=fd09::50/64
IPv6AcceptRA=no

[Route]
Destination=10.7.0.0/16
Gateway=10.8.0.1
Metric=77

[DHCPv4]
ClientIdentifier=duid

[RoutingPolicyRule]
IncomingInterface=${NIC}
Priority=201
Table=101
`;

interface Live {
  readonly of: World;
  readonly dir: string;
  readonly leased: string;
  readonly said: () => string;
}

/** A NIC that networkd has, with a lease; and what somebody added by hand. */
async function live(): Promise<Live> {
  const of = hostWith(programs('bin/networkctl'), DIR, '/run/systemd', '/run/dbus');
  cable();
  const dir = scratchDir();
  const said = await server(dir, { dns: true });
  writeFileSync(`${DIR}/20-lan.network`, LAN);
  await bus();
  networkd();
  const leased = await leaseOn(NIC);
  await settled(() => /ADMIN_STATE=configured/.test(networkdState(NIC)));
  ip(`address add 10.6.0.5/24 dev ${NIC}`);
  ip(`-6 address add fd06::5/64 dev ${NIC}`);
  ip('route add 10.5.0.0/16 via 10.6.0.1');
  foreign();
  await settled(() => !ip('-6 -o address').includes('tentative'));
  return { of, dir, leased, said };
}

test('a NIC that systemd-networkd has: it goes on on the bridge with the same lease, and has its NIC again', async () => {
  const { of, dir, leased, said } = await live();
  const { qlaunch } = of;
  const before = look();
  const end = await talk([leased, 'fd09::50']);

  const made = await qlaunch(...CREATE);
  expect(made).toMatchObject({ status: 0, stderr: '' });
  expect(networkdState('br0')).toMatch(/ADMIN_STATE=configured[\s\S]*NETWORK_FILE=.*-qlaunch-br0\.network/);
  expect(networkdState(NIC)).toMatch(/OPER_STATE=enslaved/);
  expect(ip(`-o address show dev ${NIC}`)).toBe('');
  // All of it is there, also what was not networkd's; only the lifetime is gone: KeepConfiguration=.
  const renamed = before
    .filter((line) => /10\.|fd\d|lookup 10/.test(line) && !line.includes('ff00::'))
    .map((line) => line.replaceAll(NIC, 'br0').replace(' dynamic', ''));
  expect(look()).toEqual(expect.arrayContaining(renamed));
  expect(readFileSync(join(dir, 'leases'), 'utf8').trim().split('\n')).toHaveLength(1);

  guest();
  expect(await qlaunch('bridge', 'add-port', 'br0', 'g0')).toMatchObject({ status: 0 });
  expect(askedOutside(dir)).not.toBe('');
  expect(await qlaunch('bridge', 'confirm')).toMatchObject({ status: 0 });
  const { stdout: script } = await qlaunch('bridge', 'persist', 'br0', '--persist=none');
  expect(script).toContain('start the DHCP client on br0');
  expect(script).not.toContain(leased);
  // What is written for the next boot is of the file that it was in the place of, with the identity of the lease.
  expect(await qlaunch('bridge', 'persist', 'br0')).toMatchObject({ status: 0 });
  expect(readFileSync(`${DIR}/10-qlaunch-br0.network`, 'utf8')).toMatch(/Destination=10\.7[\s\S]*IAID=\d+/);
  // … and is not read before: a reload leaves the bridge as it is.
  const state = networkdState('br0');
  execFileSync('sh', ['-c', RELOAD]);
  await settled(() => /ADMIN_STATE=configured/.test(networkdState('br0')));
  expect(networkdState('br0')).toBe(state);
  // What was given to the bridge meanwhile is the NIC's, and what was taken is gone.
  ip('address del 10.6.0.5/24 dev br0');
  ip('address add 10.6.0.6/24 dev br0');
  const deleted = await qlaunch('bridge', 'delete', 'br0');
  expect(deleted).toMatchObject({ status: 0 });
  ip('link delete g0');
  expect(look()).toEqual(before.map((line) => line.replaceAll('10.6.0.5', '10.6.0.6')));
  expect(networkdState(NIC)).toMatch(/ADMIN_STATE=configured[\s\S]*NETWORK_FILE=.*\/20-lan\.network/);
  expect(existsSync(LIVE) ? readdirSync(LIVE) : []).toEqual([]);
  expect(said()).not.toContain('DHCPRELEASE');
  for (const stream of await end()) expectAlive(stream);
}, 120_000);

test('systemd-networkd has its NIC again when nobody confirms, and when qlaunch is killed anywhere', async () => {
  const { of, dir, leased, said } = await live();
  const before = look();
  const end = await talk([leased]);
  const soon = await of.qlaunch(...CREATE, '--confirm', '44s');
  expect(soon.status).toBe(2);
  expect(soon.stderr).toContain('write 45s or more');
  // Somebody is at it, and has not told networkd yet.
  const [lan, { mtime }] = [`${DIR}/20-lan.network`, statSync(`${DIR}/20-lan.network`)];
  utimesSync(lan, new Date(), new Date());
  const begun = await of.qlaunch(...CREATE);
  expect(begun.status).toBe(3);
  expect(begun.stderr).toContain(`${lan} was changed after systemd-networkd has read it`);
  utimesSync(lan, mtime, mtime);
  // … or would have the NIC by another one; what his editor leaves beside is none.
  const [other, left] = [`${DIR}/05-new.network`, `${DIR}/20-lan.network.d`];
  mkdirSync(left);
  writeFileSync(`${left}/x.conf~`, '');
  writeFileSync(other, `[Match]\nName=${NIC}\n`);
  const unread = await of.qlaunch(...CREATE, '--force');
  expect(unread.status).toBe(3);
  expect(unread.stderr).toContain(`${other} was changed after systemd-networkd has read it`);
  rmSync(other);
  expect(look()).toEqual(before);

  const files = (): number => (existsSync(LIVE) ? readdirSync(LIVE).length : 0);
  const moments: Readonly<Record<string, () => boolean>> = {
    'the NIC is a port': () => ip('-br link').includes('br0') && ip(`link show ${NIC}`).includes('master'),
    'networkd reads them': () => files() > 2,
    'networkd has the port': () => networkdState(NIC).includes('-qlaunch-'),
  };
  for (const [at, isSo] of Object.entries(moments)) {
    await killedWhen(of, isSo);
    expect({ at, now: look() }).toEqual({ at, now: before });
    expect({ at, files: files() }).toEqual({ at, files: 0 });
  }
  expect(said()).not.toContain('DHCPRELEASE');
  for (const stream of await end()) expectAlive(stream);

  // Other addresses, and networkd knows of them.
  const shown = (): string =>
    ip('-4 -br address show dev br0').replaceAll(/^\S+\s+\S+\s+| metric \d+|\s+$/g, '');
  const readdressed = await of.qlaunch(...CREATE, '--address', '10.9.0.77/24', '--confirm', '45s');
  expect(readdressed).toMatchObject({ status: 0, stderr: '' });
  expect(shown()).toBe('10.9.0.77/24');
  const known = readFileSync(`${LIVE}/10-0-qlaunch-br0.network`, 'utf8');
  expect(known).toMatch(/DHCP=no\n[^[]*Address=10\.9\.0\.77\/24\n/);
  expect(known).not.toContain('10.8.0.5');
  // What came with the lease is its own from now on.
  expect(ip('route show default')).toMatch(/^default via 10\.9\.0\.1 dev br0 /);
  expect(known).toMatch(/^DNS=10\.9\.0\.\d+$/m);
  expect(known).toMatch(/^Gateway=10\.9\.0\.1$/m);
  expect(await of.qlaunch('bridge', 'revert')).toMatchObject({ status: 0 });
  expect(look()).toEqual(before);

  // Another address by then: that is what it has, and not what was leased before.
  expect(await of.qlaunch(...CREATE, '--dhcp')).toMatchObject({ status: 0, stderr: '' });
  expect(shown()).toBe(`${leased}/24`);
  reserve(dir, '10.9.0.150');
  expect(await of.qlaunch('bridge', 'revert')).toMatchObject({ status: 0 });
  expect(look()).toEqual(before.map((line) => line.replaceAll(leased, '10.9.0.150')));
}, 300_000);

const YAML = `network:
  version: 2
  ethernets:
    office:
      match: {name: "${NIC}"}
      dhcp4: true
      accept-ra: no
`;

test('the same where netplan told networkd: confirmed, it is netplan that makes the bridge at boot', async () => {
  const bin = programs('bin/networkctl');
  writeFileSync(join(bin, 'netplan'), `#!/bin/sh\n[ "$*" = generate ] && exec ${generator}\n`, {
    mode: 0o755,
  });
  const { qlaunch } = hostWith(bin, '/etc/netplan', DIR, '/run/systemd', '/run/dbus', '/run/udev');
  cable();
  const dir = scratchDir();
  const said = await server(dir);
  mkdirSync(LIVE, { recursive: true });
  writeFileSync('/etc/netplan/01-installer.yaml', YAML, { mode: 0o600 });
  execFileSync('sh', ['-c', generator]);
  // By this directory systemd says that it is process 1, which it is not here.
  rmSync('/run/systemd/system', { recursive: true, force: true });
  const generated = (): string => readFileSync(`${LIVE}/10-netplan-office.network`, 'utf8');
  const old = generated();
  await bus();
  networkd();
  const leased = await leaseOn(NIC);
  await settled(() => /ADMIN_STATE=configured/.test(networkdState(NIC)));
  const before = look();
  const end = await talk([leased]);
  expect(await qlaunch(...CREATE, '--persist')).toMatchObject({ status: 0, stderr: '' });
  expect(networkdState('br0')).toContain(`NETWORK_FILE=${LIVE}/0-0-qlaunch-br0.network`);
  expect(readdirSync('/etc/netplan')).toEqual(['01-installer.yaml']);
  expect((await qlaunch('bridge', 'confirm')).stderr).toContain('/etc/netplan/90-qlaunch-br0.yaml');
  expect(readFileSync(`${LIVE}/10-netplan-br0.network`, 'utf8')).toContain('DHCP=ipv4');
  expect(await qlaunch('bridge', 'delete', 'br0')).toMatchObject({ status: 0 });
  expect(look()).toEqual(before);
  expect(readdirSync('/etc/netplan')).toEqual(['01-installer.yaml']);
  expect(readdirSync(LIVE)).toEqual(['10-netplan-office.network']);
  expect(generated()).toBe(old);
  expect(said()).not.toContain('DHCPRELEASE');
  for (const stream of await end()) expectAlive(stream);
}, 120_000);
