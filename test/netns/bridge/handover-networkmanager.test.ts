// needs: bridge, veth
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { nmHandover } from '../../../src/plan/bridge/handover/networkmanager.ts';
import { scratchDir } from '../../tiers/guest.ts';
import { CREATE, expectAlive, foreign, killedWhen, leaseOn, look } from './handover.ts';
import { hostWith, networkManager, programs } from './managers.ts';
import { cable, ip, NIC, settled, talk } from './outside.ts';
import { reserve, server } from './server.ts';
import { askedOutside, guest } from './station.ts';

const DIR = '/etc/NetworkManager/system-connections';
const LIVE = '/run/NetworkManager/system-connections';

const LAN = `[connection]
id=lan
uuid=11111111-1111-1111-1111-111111111111
type=ethernet
interface-name=${NIC}
zone=public

[ipv4]
method=auto
address1=10.8.0.5/16
route1=10.7.0.0/16,10.8.0.1,77
routing-rule1=priority 201 from 0.0.0.0/0 iif ${NIC} table 101

[ipv6]
addr-gen-mode=eui64
method=manual
address1=fd09::50/64
`;

test('a NIC that NetworkManager has: it makes the bridge with the same lease, and has its NIC again, also when qlaunch is killed', async () => {
  const of = hostWith(
    programs('usr/bin/nmcli'),
    ...[DIR, '/run/NetworkManager', '/run/dbus', '/var/lib/NetworkManager'],
  );
  const { qlaunch } = of;
  cable();
  const dir = scratchDir();
  const said = await server(dir, { dns: true });
  writeFileSync(`${DIR}/lan.nmconnection`, LAN, { mode: 0o600 });
  await networkManager();
  const leased = await leaseOn(NIC);
  const leases = (): number => readFileSync(join(dir, 'leases'), 'utf8').trim().split('\n').length;
  await settled(() => ip('route show').includes('10.7.0.0/16') && ip('-6 -o address').includes('fd09::50'));
  ip(`address add 10.6.0.5/24 dev ${NIC}`);
  ip(`-6 address add fd06::5/64 dev ${NIC}`);
  ip('route add 10.5.0.0/16 via 10.6.0.1');
  foreign();
  await settled(() => !ip('-6 -o address').includes('tentative'));
  const before = look();
  const files = (): readonly string[] => readdirSync(LIVE).filter((name) => name.startsWith('br0'));
  const end = await talk([leased, 'fd09::50']);

  const made = await qlaunch(...CREATE);
  expect(made).toMatchObject({ status: 0, stderr: '' });
  expect(ip(`-o address show dev ${NIC}`)).toBe('');
  const renamed = before
    .filter((line) => /10\.|fd\d|lookup 10/.test(line))
    .map((line) => line.replaceAll(NIC, 'br0'));
  await settled(() => !ip('-6 -o address').includes('tentative'));
  expect(look()).toEqual(expect.arrayContaining(renamed));
  expect(leases()).toBe(1);
  expect(files()).toHaveLength(2);

  guest();
  expect(await qlaunch('bridge', 'add-port', 'br0', 'g0')).toMatchObject({ status: 0 });
  expect(askedOutside(dir)).not.toBe('');
  expect(await qlaunch('bridge', 'confirm')).toMatchObject({ status: 0 });
  expect(await qlaunch('bridge', 'persist', 'br0')).toMatchObject({ status: 0 });
  const kept = readFileSync(`${DIR}/br0.nmconnection`, 'utf8');
  expect(kept).toContain('route1=10.7.0.0/16,10.8.0.1,77');
  expect(kept).toContain('routing-rule1=priority 201 from 0.0.0.0/0 iif br0 table 101');
  const deleted = await qlaunch('bridge', 'delete', 'br0');
  expect(deleted).toMatchObject({ status: 0 });
  ip('link delete g0');
  await settled(() => !ip('-6 -o address').includes('tentative'));
  expect(look()).toEqual(before);
  expect(files()).toEqual([]);
  for (const stream of await end()) expectAlive(stream);
  expect(readFileSync(`${DIR}/lan.nmconnection`, 'utf8')).toBe(LAN);
  expect(readdirSync(DIR)).toEqual(['lan.nmconnection']);

  const other = {
    [`-4 ${leased}/24`]: ['--dhcp'],
    '-4 10.9.0.77/24': ['--address', '10.9.0.77/24', '--address', 'fd09::77/64'],
  };
  for (const [shown, words] of Object.entries(other)) {
    expect(await qlaunch(...CREATE, ...words)).toMatchObject({ status: 0, stderr: '' });
    const [family = '', address = ''] = shown.split(' ');
    const now = ip(`${family} -br address show dev br0`);
    expect(now.replaceAll(/ metric \d+/g, '').trim()).toMatch(new RegExp(`^br0 +UP +${address}$`));
    // What came with a lease that has ended is its own from now on.
    const profile = readFileSync(`${LIVE}/br0.nmconnection`, 'utf8');
    const isOwn = /^dns=10\.9\.0\.\d+;$/m.test(profile) && profile.includes('gateway=10.9.0.1\n');
    expect({ words, isOwn }).toEqual({ words, isOwn: !words.includes('--dhcp') });
    expect(await qlaunch('bridge', 'revert')).toMatchObject({ status: 0 });
    await settled(() => !ip('-6 -o address').includes('tentative'));
    expect({ words, now: look(), files: files() }).toEqual({ words, now: before, files: [] });
  }

  const moments: Readonly<Record<string, () => boolean>> = {
    'it has read them': () => files().length > 1,
    'the NIC is a port': () => ip(`-o link show ${NIC}`).includes(' master br0 '),
  };
  for (const [at, isSo] of Object.entries(moments)) {
    await killedWhen(of, isSo);
    await settled(() => !ip('-6 -o address').includes('tentative'));
    expect({ at, now: look(), files: files() }).toEqual({ at, now: before, files: [] });
  }
  // Another address by then: that is what it has, and not what was leased before.
  expect(await qlaunch(...CREATE, '--dhcp')).toMatchObject({ status: 0, stderr: '' });
  reserve(dir, '10.9.0.150');
  expect(await qlaunch('bridge', 'revert')).toMatchObject({ status: 0 });
  await settled(() => !ip('-6 -o address').includes('tentative'));
  expect(look()).toEqual(before.map((line) => line.replaceAll(leased, '10.9.0.150')));
  expect(said()).not.toContain('DHCPRELEASE');
}, 180_000);

test('a bridge of that name that somebody else made stays, also where NetworkManager does not run', () => {
  cable();
  ip(`address add 10.6.0.5/24 dev ${NIC}`);
  ip('link add br0 type bridge');
  const [, index] = /^(\d+):/.exec(ip('-o link show br0')) ?? [];
  const layer = { link: NIC, addresses: [], routes: [], neighbours: [] };
  const hold = {
    ...{ nmcli: '/bin/false', bridge: 'br0', old: 'x', uuids: ['y', 'z'] as const, files: [] },
    ...{ makesDir: false, asks: {}, hasLease: false },
  };
  const undo = nmHandover(hold, layer, { link: NIC }).first[0]?.undo;
  const back = (): void => {
    if (undo === undefined || !('run' in undo)) throw new Error('nothing to run');
    execFileSync(undo.run[0], undo.run.slice(1), { input: undo.stdin ?? '' });
  };
  back();
  expect(ip('-o link show br0')).toContain(`${index}: br0`);
  // Ours has the NIC's address.
  ip('link set br0 address 52:54:00:aa:bb:01');
  back();
  expect(ip('-br link')).not.toContain('br0');
});
