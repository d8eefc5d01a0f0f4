// needs: bridge, veth, tap, macvlan
import { spawn } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { differences, type Snapshot, snapshot } from '../../snapshot.ts';
import { world } from '../../tiers/cli.ts';
import { cable, carry, ip, NIC, quiet, STATIC } from './outside.ts';

const look = (): Snapshot => snapshot({ files: [] });

/** What `bridge create br0 --uplink NIC` says; nothing may have been touched. */
async function refusal(nic: string = NIC, ...more: readonly string[]): Promise<string> {
  const before = look();
  const { status, stderr } = await world().qlaunch('bridge', 'create', 'br0', '--uplink', nic, ...more);
  expect(status).toBe(3);
  expect(differences(before, look())).toEqual([]);
  return stderr;
}

test('what can be no uplink is refused with the reason and another way, before anything is touched', async () => {
  cable();
  carry(STATIC);
  await quiet();
  expect(await refusal('lo')).toContain('it is the loopback device');
  // In the other namespace, where the cable's end is.
  expect(await refusal('far')).toContain('a container or `ip netns` may have it');
  ip('tuntap add dev tun7 mode tun');
  expect(await refusal('tun7')).toMatch(/it carries no Ethernet frames[\s\S]*--net nat/);
  ip('link delete tun7');
  ip(`link add mv0 link ${NIC} type macvlan mode bridge`);
  expect(await refusal()).toContain(`mv0 (macvlan) is made on it`);
  ip('link delete mv0');
  ip('link add brX type bridge');
  ip(`link set ${NIC} master brX`);
  expect(await refusal()).toContain('use that bridge: --net bridge:brX');
  ip(`link set ${NIC} nomaster`);
  ip('link delete brX');
});

test('routes and rules that could not be said again are refused, not lost', async () => {
  cable();
  carry(STATIC);
  await quiet();
  ip(`nexthop add id 7 via 10.9.0.1 dev ${NIC}`);
  ip('route add 10.3.0.0/16 nhid 7');
  expect(await refusal()).toMatch(/the route 10\.3\.0\.0\/16 \(table main\) uses a nexthop object/);
});

test('a program that holds the NIC is named with its pid: its DHCP client, its 802.1X login', async () => {
  cable();
  carry(STATIC);
  await quiet();
  const holder = spawn('bash', ['-c', `exec -a wpa_supplicant bash -c "read" -Dwired -i${NIC}`]);
  onTestFinished(() => void holder.kill('SIGKILL'));
  await expect
    .poll(() => refusal(), { timeout: 20_000 })
    .toMatch(/wpa_supplicant \(pid \d+\) logs it in to the switch/);
});

test('a NIC that NetworkManager or systemd-networkd has is left to it', async () => {
  cable();
  carry(STATIC);
  await quiet();
  const index = /^(\d+):/.exec(ip(`-o link show dev ${NIC}`))?.[1] ?? '';
  const claim = (dir: string, text: string): void => {
    mkdirSync(dir, { recursive: true });
    writeFileSync(`${dir}/${index}`, text);
    onTestFinished(() => rmSync(`${dir}/${index}`, { force: true }));
  };
  claim('/run/NetworkManager/devices', '[device]\nmanaged=true\nconnection-uuid=1\n');
  expect(await refusal()).toContain(`sudo nmcli device set ${NIC} managed no`);
  rmSync(`/run/NetworkManager/devices/${index}`);
  claim(
    '/run/systemd/netif/links',
    'ADMIN_STATE=configured\nNETWORK_FILE=/etc/systemd/network/20-lan.network\n',
  );
  expect(await refusal()).toContain('(/etc/systemd/network/20-lan.network)');
});
