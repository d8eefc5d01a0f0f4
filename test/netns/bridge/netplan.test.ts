// needs: bridge, veth
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { scratchDir } from '../../tiers/guest.ts';
import { bridgeNow, generator, hostWith, networkd } from './managers.ts';
import { cable, ip, NIC, settled } from './outside.ts';
import { server } from './server.ts';

const DIR = '/etc/netplan';
const OLD = `# Written by the installer.
network:
  version: 2
  renderer: networkd
  ethernets:
    office:
      # A veth has no permanent address to be matched by.
      match: {name: "${NIC}"}
      # Asked for by the backup people.
      addresses: [10.9.0.50/24, "fd09::50/64"]
      accept-ra: no
      routes:
      - to: default
        via: 10.9.0.1
      - {to: 10.7.0.0/16, via: 10.9.0.1, metric: 77}
`;

/** As `netplan generate` is: a program of that name that calls netplan's own generator. */
function command(): string {
  const bin = mkdtempSync(join(tmpdir(), 'netplan-'));
  writeFileSync(join(bin, 'netplan'), `#!/bin/sh\n[ "$*" = generate ] && exec ${generator}\n`);
  chmodSync(join(bin, 'netplan'), 0o755);
  return bin;
}

test('netplan takes what is written and networkd makes the same bridge of it; deleted, the old file is as it was', async () => {
  const { qlaunch } = hostWith(command(), DIR, '/run/systemd', '/etc/systemd/network', '/run/udev');
  cable();
  mkdirSync('/run/systemd/network', { recursive: true });
  writeFileSync(`${DIR}/01-installer.yaml`, OLD, { mode: 0o600 });
  for (const line of [
    `address add 10.9.0.50/24 brd + dev ${NIC}`,
    `address add fd09::50/64 dev ${NIC} nodad`,
    'route add default via 10.9.0.1 proto static',
    'route add 10.7.0.0/16 via 10.9.0.1 proto static metric 77',
  ])
    ip(line);
  const create = ['bridge', 'create', 'br0', '--uplink', NIC, '--persist'];
  expect((await qlaunch(...create, '--dry-run')).stdout).toContain(`${DIR}/90-qlaunch-br0.yaml`);
  expect(await qlaunch(...create)).toMatchObject({ status: 0, stderr: '' });
  expect(readdirSync(DIR)).toEqual(['01-installer.yaml']);
  expect(await qlaunch('bridge', 'confirm')).toMatchObject({ status: 0 });
  expect(readdirSync(DIR).map((name) => [name, statSync(`${DIR}/${name}`).mode & 0o7777])).toEqual([
    ['01-installer.yaml', 0o600],
    ['90-qlaunch-br0.yaml', 0o600],
  ]);
  expect(readFileSync('/run/systemd/network/10-netplan-br0.netdev', 'utf8')).toContain('Kind=bridge');
  const now = bridgeNow();
  expect(now).toMatchObject({ mac: '52:54:00:aa:bb:01', ports: [NIC], onPorts: [] });

  ip('link delete br0');
  ip(`link set ${NIC} down`);
  ip(`address flush dev ${NIC}`);
  const { log, end } = networkd();
  await settled(
    () =>
      /br0: Gained carrier/.test(log()) &&
      ip('route show').includes('default') &&
      ip('-6 -o address show dev br0').includes('fd09::50') &&
      !ip('-6 -o address').includes('tentative'),
  );
  expect(bridgeNow()).toEqual(now);
  await end();

  expect(await qlaunch('bridge', 'delete', 'br0')).toMatchObject({ status: 0 });
  expect(readdirSync(DIR)).toEqual(['01-installer.yaml']);
  expect(readFileSync(`${DIR}/01-installer.yaml`, 'utf8')).toBe(OLD);
  expect(existsSync('/run/systemd/network/10-netplan-br0.netdev')).toBe(false);
  expect(readFileSync('/run/systemd/network/10-netplan-office.network', 'utf8')).toContain('10.9.0.50/24');
}, 90_000);

test('--address and --dhcp: netplan takes what is written, and makes of it what the bridge has', async () => {
  const { qlaunch } = hostWith(command(), DIR, '/run/systemd', '/etc/systemd/network', '/run/udev');
  cable();
  await server(scratchDir());
  mkdirSync('/run/systemd/network', { recursive: true });
  writeFileSync(`${DIR}/01-installer.yaml`, OLD, { mode: 0o600 });
  ip(`address add 10.9.0.50/24 brd + dev ${NIC}`);
  ip(`address add fd09::50/64 dev ${NIC} nodad`);
  ip('route add default via 10.9.0.1');
  const create = ['bridge', 'create', 'br0', '--uplink', NIC, '--persist', '--no-confirm'];
  const made = (name: string): string =>
    readFileSync(`/run/systemd/network/10-netplan-${name}.network`, 'utf8');
  expect(await qlaunch(...create, '--address', '10.9.0.77/24')).toMatchObject({ status: 0, stderr: '' });
  const other = made('br0');
  for (const line of ['Address=10.9.0.77/24', 'Address=fd09::50/64', 'Gateway=10.9.0.1', 'IPv6AcceptRA=no'])
    expect(other).toContain(`${line}\n`);
  expect(other + made('office')).not.toMatch(/10\.9\.0\.50|10\.7|DHCP=/);
  expect(await qlaunch('bridge', 'delete', 'br0')).toMatchObject({ status: 0 });
  expect(await qlaunch(...create, '--dhcp')).toMatchObject({ status: 0, stderr: '' });
  expect(made('br0')).toContain('DHCP=ipv4\n');
  expect(made('br0')).toContain('Address=fd09::50/64\n');
  expect(made('br0') + made('office')).not.toMatch(/10\.9\.0\.|10\.7/);
  expect(await qlaunch('bridge', 'delete', 'br0')).toMatchObject({ status: 0 });
  expect(readFileSync(`${DIR}/01-installer.yaml`, 'utf8')).toBe(OLD);
}, 90_000);

test('what netplan does not take is taken back, and said', async () => {
  const { qlaunch } = hostWith(command(), DIR, '/run/systemd', '/etc/systemd/network', '/run/udev');
  const create = ['bridge', 'create', 'br0', '--persist=netplan', '--address', '192.0.2.1/24'];
  writeFileSync(`${DIR}/1.yaml`, 'network:\n  version: 2\n  ethernets:\n    x: {dhcp9: true}\n', {
    mode: 0o600,
  });
  const { status, stderr } = await qlaunch(...create);
  expect(status).toBe(4);
  expect(stderr).toContain('dhcp9');
  expect(readdirSync(DIR)).toEqual(['1.yaml']);
  expect(ip('-br link')).not.toContain('br0');
});
