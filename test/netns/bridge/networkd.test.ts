// needs: bridge, veth
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { scratchDir } from '../../tiers/guest.ts';
import { bridgeNow, hostWith, networkd, POLICY, policyNow } from './managers.ts';
import { cable, ip, NIC, settled } from './outside.ts';
import { server } from './server.ts';

const DIR = '/etc/systemd/network';
const MAC = '52:54:00:aa:bb:01';

/** As an administrator wrote it, under a name that comes before the usual one. */
const OLD = `# The office LAN.
[Match]
Name=${NIC.slice(0, 2)}*

[Link]
RequiredForOnline=routable

[Network]
# Asked for by the backup people.
Address=10.9.0.50/24
Address=fd09::50/64
Gateway=10.9.0.1
IPv6AcceptRA=no

[Route]
Destination=10.7.0.0/16
Gateway=10.9.0.1
Metric=77
`;

const enable = (): void => {
  mkdirSync('/etc/systemd/system/multi-user.target.wants', { recursive: true });
  const unit = '/etc/systemd/system/multi-user.target.wants/systemd-networkd.service';
  rmSync(unit, { force: true });
  symlinkSync('/lib/systemd/system/systemd-networkd.service', unit);
};

test('systemd-networkd makes the same bridge at boot of what the NIC had; deleted, only the old file is there', async () => {
  const { qlaunch } = hostWith(undefined, DIR, '/run/systemd');
  enable();
  cable();
  writeFileSync(`${DIR}/10-lan.network`, OLD);
  // What networkd did before it was stopped: while it has the NIC, the move is refused.
  for (const line of [
    `address add 10.9.0.50/24 brd + dev ${NIC}`,
    `address add fd09::50/64 dev ${NIC} nodad`,
    'route add default via 10.9.0.1 proto static',
    'route add 10.7.0.0/16 via 10.9.0.1 proto static metric 77',
  ])
    ip(line);
  const create = ['bridge', 'create', 'br0', '--uplink', NIC, '--persist'];
  const { stdout } = await qlaunch(...create, '--dry-run');
  expect(stdout).toContain('Kind=bridge');
  expect(await qlaunch(...create)).toMatchObject({ status: 0, stderr: '' });
  expect(readdirSync(DIR)).toEqual(['10-lan.network']);
  const confirmed = await qlaunch('bridge', 'confirm');
  expect(confirmed).toMatchObject({ status: 0 });
  expect(confirmed.stderr).toContain(`and made at every boot (${DIR}/0-qlaunch-br0.netdev`);
  const now = bridgeNow();
  expect(now).toMatchObject({ mac: MAC, stp: 0, ports: [NIC], onPorts: [] });

  ip('link delete br0');
  ip(`link set ${NIC} down`);
  ip(`address flush dev ${NIC}`);
  const { log, end } = networkd();
  await settled(() => /br0: Gained carrier/.test(log()) && ip('route show').includes('default'));
  await settled(
    () => ip('-6 -o address show dev br0').includes('fd09::50') && !ip('-6 -o address').includes('tentative'),
  );
  expect(bridgeNow()).toEqual(now);
  // It says so of each line that it does not understand, and goes on.
  expect(log()).not.toMatch(/qlaunch-br0[^ ]*:\d+/);
  await end();

  expect(await qlaunch('bridge', 'delete', 'br0')).toMatchObject({ status: 0 });
  expect(readdirSync(DIR)).toEqual(['10-lan.network']);
  expect(readFileSync(`${DIR}/10-lan.network`, 'utf8')).toBe(OLD);
}, 90_000);

test('--address and --dhcp: networkd makes at boot what the bridge has, and not what the NIC had', async () => {
  const { qlaunch } = hostWith(undefined, DIR, '/run/systemd');
  enable();
  cable();
  await server(scratchDir());
  writeFileSync(`${DIR}/20-lan.network`, OLD);
  const carry = (): void => {
    ip(`address flush dev ${NIC}`);
    ip(`address add 10.9.0.50/24 brd + dev ${NIC}`);
    ip(`address add fd09::50/64 dev ${NIC} nodad`);
    ip('route add default via 10.9.0.1 proto static');
  };
  const create = ['bridge', 'create', 'br0', '--uplink', NIC, '--persist', '--no-confirm'];
  const boot = async (address: RegExp): Promise<void> => {
    ip('link delete br0');
    ip(`link set ${NIC} down`);
    ip(`address flush dev ${NIC}`);
    const { log, end } = networkd();
    await settled(
      () =>
        ip('-br link').includes('br0') &&
        address.test(ip('-4 -o address show dev br0')) &&
        ip('route show').includes('default') &&
        ip('-6 -o address show dev br0').includes('fd09::50/64') &&
        !ip('-6 -o address').includes('tentative'),
    );
    expect(log()).not.toMatch(/qlaunch-br0[^ ]*:\d+/);
    expect(ip('-4 -o address show dev br0')).not.toContain('10.9.0.50/');
    await end();
  };
  carry();
  expect(await qlaunch(...create, '--address', '10.9.0.77/24')).toMatchObject({ status: 0, stderr: '' });
  await boot(/ 10\.9\.0\.77\/24 /);
  expect(ip('route show')).toMatch(/^default via 10\.9\.0\.1 dev br0 /m);
  expect(await qlaunch('bridge', 'delete', 'br0')).toMatchObject({ status: 0 });

  ip('link delete br0');
  carry();
  expect(await qlaunch(...create, '--dhcp')).toMatchObject({ status: 0, stderr: '' });
  await boot(/ 10\.9\.0\.1\d\d\/24 /);
  expect(await qlaunch('bridge', 'delete', 'br0')).toMatchObject({ status: 0 });
  expect(readFileSync(`${DIR}/20-lan.network`, 'utf8')).toBe(OLD);
  ip('link delete br0');
}, 120_000);

test('policy rules, a table of its own and two ways out, which no file says, are there at boot', async () => {
  const { qlaunch } = hostWith(undefined, DIR, '/run/systemd');
  enable();
  cable();
  for (const line of POLICY) ip(line);
  onTestFinished(() => ['100', '101'].forEach((one) => void ip(`rule del priority ${one}`)));
  const create = ['bridge', 'create', 'br0', '--uplink', NIC, '--persist=networkd', '--no-confirm'];
  expect(await qlaunch(...create)).toMatchObject({ status: 0, stderr: '' });
  const now = policyNow();
  ip('link delete br0');
  ip(`link set ${NIC} down`);
  ip(`address flush dev ${NIC}`);
  for (const one of ['100', '101']) ip(`rule del priority ${one}`);
  const { log, end } = networkd();
  await settled(() => ip('route show').includes('nexthop') && ip('route show table 7').includes('10.7'));
  expect(policyNow()).toEqual(now);
  expect(log()).not.toMatch(/qlaunch-br0[^ ]*:\d+/);
  await end();
  expect(await qlaunch('bridge', 'delete', 'br0')).toMatchObject({ status: 0 });
  ip('link delete br0');
}, 60_000);

test('a bridge without an uplink is up at boot without a carrier', async () => {
  const { qlaunch } = hostWith(undefined, DIR, '/run/systemd');
  enable();
  const create = ['bridge', 'create', 'br0', '--persist=networkd', '--address', '192.0.2.1/24'];
  const settings = ['--mtu', '1400', '--stp', 'on', '--delay', '7'];
  expect(await qlaunch(...create, ...settings)).toMatchObject({ status: 0 });
  const { mac: _, ...now } = bridgeNow();
  ip('link delete br0');
  const { end } = networkd();
  await settled(
    () => ip('-br link').includes('br0') && ip('-o address show dev br0').includes('192.0.2.1/24'),
  );
  expect(bridgeNow()).toMatchObject(now);
  expect(now).toMatchObject({ mtu: 1400, stp: 1, delay: 700 });
  await end();
  await qlaunch('bridge', 'delete', 'br0');
  expect(readdirSync(DIR)).toEqual([]);
  ip('link delete br0');
}, 60_000);
