// needs: bridge, veth
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { scratchDir } from '../../tiers/guest.ts';
import { bridgeNow, hostWith, networkManager, offline, POLICY, policyNow, programs } from './managers.ts';
import { cable, ip, NIC, settled } from './outside.ts';
import { server } from './server.ts';

const DIR = '/etc/NetworkManager/system-connections';
const OLD = `[connection]
id=lan
uuid=11111111-1111-1111-1111-111111111111
type=ethernet
interface-name=${NIC}
zone=public

[ethernet]
wake-on-lan=64

[ipv4]
# Asked for by the backup people.
method=manual
address1=10.9.0.50/24,10.9.0.1
dns=10.9.0.1;
route1=10.7.0.0/16,10.9.0.1,77

[ipv6]
addr-gen-mode=eui64
method=manual
address1=fd09::50/64
`;

const enable = (): void => {
  mkdirSync('/etc/systemd/system/multi-user.target.wants', { recursive: true });
  const unit = '/etc/systemd/system/multi-user.target.wants/NetworkManager.service';
  rmSync(unit, { force: true });
  symlinkSync('/lib/systemd/system/NetworkManager.service', unit);
};

/** Its keys and values, by section; what nmcli adds of itself is not there. */
const keys = (text: string): readonly string[] => {
  let section = '';
  return text
    .split('\n')
    .flatMap((line) => {
      section = /^\[(.*)\]$/.exec(line)?.[1] ?? section;
      return /^[a-z].*=/.test(line) ? [`${section}.${line}`] : [];
    })
    .filter((line) => !/addr-gen-mode=default|autoconnect=/.test(line))
    .toSorted();
};

test('NetworkManager makes the same bridge at boot; deleted, the old profile is as it was, byte for byte', async () => {
  const { qlaunch } = hostWith(undefined, DIR, '/run/NetworkManager', '/run/dbus', '/var/lib/NetworkManager');
  enable();
  cable();
  writeFileSync(`${DIR}/lan.nmconnection`, OLD, { mode: 0o600 });
  for (const line of [
    `address add 10.9.0.50/24 brd + dev ${NIC}`,
    `address add fd09::50/64 dev ${NIC} nodad`,
    'route add default via 10.9.0.1 proto static metric 100',
    'route add 10.7.0.0/16 via 10.9.0.1 proto static metric 77',
  ])
    ip(line);
  expect(await qlaunch('bridge', 'create', 'br0', '--uplink', NIC, '--persist')).toMatchObject({ status: 0 });
  expect(readdirSync(DIR)).toEqual(['lan.nmconnection']);
  expect(await qlaunch('bridge', 'confirm')).toMatchObject({ status: 0 });
  for (const name of readdirSync(DIR)) expect(statSync(`${DIR}/${name}`).mode & 0o7777).toBe(0o600);
  const now = bridgeNow();

  // What nmcli reads of ours, and what it makes of the lines that are told beside, is what we wrote.
  for (const name of ['br0', `br0-port-${NIC}`]) {
    const text = readFileSync(`${DIR}/${name}.nmconnection`, 'utf8');
    expect(keys(offline(['connection', 'modify', 'connection.autoconnect', 'yes'], text))).toEqual(
      keys(text),
    );
    const [, line = ''] = /^# {3}nmcli (.*)$/m.exec(text) ?? [];
    const words = [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
    const byHand = keys(offline(words)).join('\n');
    for (const key of keys(text)) expect(byHand).toContain(key.replace(/(address1=[^,]*),.*/, '$1'));
  }

  ip('link delete br0');
  ip(`address flush dev ${NIC}`);
  const { end } = await networkManager();
  const isThere = (): boolean => ip('-br link').includes('br0') && ip('route show').includes('10.7.0.0/16');
  await settled(
    () =>
      isThere() &&
      ip('-6 -o address show dev br0').includes('fd09::50') &&
      !ip('-6 -o address').includes('tentative'),
  );
  // Without STP it leaves the forward delay, which then means nothing; its prefix routes have the metric of the others.
  const { delay: _, routes, ...same } = now;
  expect(bridgeNow()).toMatchObject(same);
  expect((bridgeNow()['routes'] as string[]).map((route) => route.replace(/ \d+$/, ''))).toEqual(
    (routes as string[]).map((route) => route.replace(/ \d+$/, '')),
  );
  expect(bridgeNow()['routes']).toEqual(
    expect.arrayContaining(['default 10.9.0.1 br0 100', '10.7.0.0/16 10.9.0.1 br0 77']),
  );
  await end();

  expect(await qlaunch('bridge', 'delete', 'br0')).toMatchObject({ status: 0 });
  expect(readdirSync(DIR)).toEqual(['lan.nmconnection']);
  expect(readFileSync(`${DIR}/lan.nmconnection`, 'utf8')).toBe(OLD);
}, 90_000);

test('--address and --dhcp: nmcli reads of ours what was written', async () => {
  const { qlaunch } = hostWith(undefined, DIR, '/run/NetworkManager');
  enable();
  cable();
  await server(scratchDir());
  writeFileSync(`${DIR}/lan.nmconnection`, OLD, { mode: 0o600 });
  ip(`address add 10.9.0.50/24 brd + dev ${NIC}`);
  ip(`address add fd09::50/64 dev ${NIC} nodad`);
  ip('route add default via 10.9.0.1');
  const create = ['bridge', 'create', 'br0', '--uplink', NIC, '--persist', '--no-confirm'];
  for (const [said, now] of [
    [
      ['--address', '10.9.0.77/24'],
      ['ipv4.method=manual', 'ipv4.address1=10.9.0.77/24', 'ipv4.gateway=10.9.0.1'],
    ],
    [['--dhcp'], ['ipv4.method=auto']],
  ] as const) {
    expect(await qlaunch(...create, ...said)).toMatchObject({ status: 0, stderr: '' });
    const text = readFileSync(`${DIR}/br0.nmconnection`, 'utf8');
    expect(keys(text)).toEqual(
      expect.arrayContaining([...now, 'ipv6.address1=fd09::50/64', 'ipv4.dns=10.9.0.1;']),
    );
    expect(text).not.toContain('10.9.0.50');
    const read = keys(offline(['connection', 'modify', 'connection.autoconnect', 'yes'], text)).join('\n');
    // It writes the gateway behind the address.
    for (const key of keys(text)) expect(read.replace(',10.9.0.1', '\nipv4.gateway=10.9.0.1')).toContain(key);
    expect(await qlaunch('bridge', 'delete', 'br0')).toMatchObject({ status: 0 });
  }
  expect(readFileSync(`${DIR}/lan.nmconnection`, 'utf8')).toBe(OLD);
}, 90_000);

test('policy rules, a table of its own and two ways out, which no profile says, are there at boot', async () => {
  const { qlaunch } = hostWith(undefined, DIR, '/run/NetworkManager', '/run/dbus', '/var/lib/NetworkManager');
  enable();
  cable();
  for (const line of POLICY) ip(line);
  onTestFinished(() => ['100', '101'].forEach((one) => void ip(`rule del priority ${one}`)));
  const create = ['bridge', 'create', 'br0', '--uplink', NIC, '--persist=networkmanager', '--no-confirm'];
  expect(await qlaunch(...create)).toMatchObject({ status: 0, stderr: '' });
  const now = policyNow();
  ip('link delete br0');
  ip(`address flush dev ${NIC}`);
  for (const one of ['100', '101']) ip(`rule del priority ${one}`);
  const { end } = await networkManager();
  await settled(
    () =>
      ip('route show').includes('nexthop') &&
      ip('route show table 7').includes('10.7') &&
      ip('rule show').includes('101:'),
  );
  expect(policyNow()).toEqual(now);
  await end();
  expect(await qlaunch('bridge', 'delete', 'br0')).toMatchObject({ status: 0 });
}, 90_000);

test('NetworkManager is the same client of DHCPv6 on the bridge, and at every boot', async () => {
  const { qlaunch } = hostWith(
    programs('usr/bin/nmcli'),
    ...[DIR, '/run/NetworkManager', '/run/dbus', '/var/lib/NetworkManager'],
  );
  enable();
  cable();
  // A router, or its advertisements would say that it is none.
  ip('netns exec outside sysctl -qw net.ipv6.conf.all.forwarding=1');
  const said = await server(scratchDir(), { v6: true });
  const lan = OLD.replace(/^method=manual\naddress1=fd09.*\n/m, 'method=auto\n');
  writeFileSync(`${DIR}/lan.nmconnection`, lan, { mode: 0o600 });
  await networkManager();
  const index = readFileSync(`/sys/class/net/${NIC}/ifindex`, 'utf8').trim();
  const state = `/run/NetworkManager/devices/${index}`;
  await settled(() => existsSync(state) && readFileSync(state, 'utf8').includes('dhcp6.iaid='));
  await settled(() => !ip('-6 -o address').includes('tentative'));
  const iaids = (): readonly string[] => [...new Set(said().match(/IAID=\d+/g) ?? [])];
  const [iaid = ''] = iaids();
  expect(iaid).not.toBe('');
  const asked = said().split('DHCPREPLY').length;
  const made = await qlaunch('bridge', 'create', 'br0', '--uplink', NIC, '--no-confirm', '--persist');
  expect(made).toMatchObject({ status: 0, stderr: '' });
  // Carried, and so nothing to be told.
  expect(made.stdout).not.toContain('leased by DHCPv6');
  const number = iaid.replace('IAID=', '');
  expect(readFileSync(`${DIR}/br0.nmconnection`, 'utf8')).toContain(`dhcp-iaid=${number}\n`);
  await settled(() => said().split('DHCPREPLY').length > asked);
  expect(iaids()).toEqual([iaid]);
  expect(await qlaunch('bridge', 'delete', 'br0')).toMatchObject({ status: 0 });
}, 90_000);
