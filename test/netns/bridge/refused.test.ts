// needs: bridge, veth, tap, macvlan
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import type { Machine } from '../../../src/host/port.ts';
import { uplinkPlan } from '../../../src/run/bridge/uplink.ts';
import { openEngine } from '../../../src/run/open-engine.ts';
import { differences, type Snapshot, snapshot } from '../../snapshot.ts';
import { world } from '../../tiers/cli.ts';
import { makeTree } from '../tree.ts';
import { cable, carry, ip, NIC, quiet, STATIC } from './outside.ts';

const nft = (line: string): void => void execFileSync('nft', [line]);
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

test('firewall rules for the NIC would not see what comes in by the bridge: told, until the bridge has them too', async () => {
  cable();
  carry(STATIC);
  await quiet();
  nft('add table inet guard');
  nft('add chain inet guard in { type filter hook input priority 0; policy drop; }');
  nft(`add rule inet guard in iifname ${NIC} tcp dport 22 accept`);
  nft(`add rule inet guard in iif ${NIC} udp dport 53 accept`);
  nft(`add rule inet guard in iifname "${NIC.slice(0, 2)}*" udp dport 67 accept`);
  nft(`add rule inet guard in iifname != ${NIC} udp dport 68 drop`);
  // Sets of others: of names, of indices (the bridge has none yet), and pairs.
  nft(`add set inet guard lan { type ifname; elements = { ${NIC}, lo }; }`);
  nft(`add set inet guard own { type iface_index; elements = { ${NIC} }; }`);
  nft(
    `add map inet guard way { typeof iifname . tcp dport : verdict; elements = { ${NIC} . 8080 : accept }; }`,
  );
  nft('add rule inet guard in iifname @lan tcp dport 80 accept');
  nft('add rule inet guard in iif @own tcp dport 81 accept');
  nft('add rule inet guard in iifname . tcp dport vmap @way');
  nft('add rule inet guard in drop');
  // Behind the last word it is no help.
  nft('add rule inet guard in iifname br0 tcp dport 22 accept');
  onTestFinished(() => nft('delete table inet guard'));
  const said = await refusal();
  expect(said).toContain(
    `the firewall has a rule for ${NIC} (inet guard in: iifname "${NIC}" tcp dport 22 accept)`,
  );
  expect(said).toContain('udp dport 53');
  const cures = [...said.matchAll(/sudo nft ((?:add|replace) (?:rule|element) .*?) {3}# or --force/g)].map(
    ([, words = '']) => words,
  );
  expect(said).toContain(`iifname @lan tcp dport 80 accept, and lan has "${NIC}"`);
  expect(cures).toHaveLength(7);
  for (const words of cures) execFileSync('sh', ['-c', `nft ${words}`]);
  expect(execFileSync('nft', ['list', 'chain', 'inet', 'guard', 'in'], { encoding: 'utf8' })).toMatch(
    /"br0" tcp dport 22 [\s\S]*"br0" udp dport 53 [\s\S]*"br0" udp dport 67 [\s\S]*"br0" \} udp dport 68 drop\n[\s\S]*"br0" tcp dport 81 accept\n.*@way\n\t\tdrop\n/,
  );
  const { stdout } = await world().qlaunch('bridge', 'create', 'br0', '--uplink', NIC, '--dry-run');
  expect(stdout).toContain('# make the bridge br0');
  // As firewalld names its chains (policies.py); it has to say itself that br0 is of that zone.
  nft('add table inet firewalld');
  onTestFinished(() => nft('delete table inet firewalld'));
  nft('add chain inet firewalld filter_IN_public');
  nft('add chain inet firewalld filter_INPUT_ZONES');
  nft(`add rule inet firewalld filter_INPUT_ZONES iifname ${NIC} goto filter_IN_public`);
  expect(await refusal()).toContain('sudo firewall-cmd --zone=public --add-interface=br0');
});

test('the way to the root file system and to iSCSI disks is not moved without --force', async () => {
  cable();
  carry(STATIC);
  await quiet();
  const tree = makeTree();
  onTestFinished(() => tree.remove());
  const engine = openEngine({ tool: 'qlaunch test', env: tree.env });
  /** No such disk is here: only what /proc and /sys say of them is another. */
  const machine: Machine = Object.assign(Object.create(engine.machine) as Machine, {
    read: async (path: string) => {
      if (path === '/proc/self/mounts') return '10.9.0.1:/srv / nfs4 rw,vers=4.2,addr=10.9.0.1 0 0';
      if (path.endsWith('/persistent_address'))
        return path.includes('connection1') ? '10.9.0.2' : '127.0.0.1';
      return engine.machine.read(path);
    },
    list: async (path: string) =>
      path === '/sys/class/iscsi_connection' ? ['connection1:0', 'connection2:0'] : engine.machine.list(path),
  });
  const plan = (force: boolean): Promise<unknown> =>
    uplinkPlan({ ...engine, machine }, { name: 'br0', uplink: NIC, force });
  await expect(plan(false)).rejects.toMatchObject({
    code: 'QL_UPLINK_BUSY',
    why: [
      `/ is mounted from 10.9.0.1 over ${NIC}: if the move failed, nothing could be read to put it back`,
      `this host has an iSCSI disk of 10.9.0.2 over ${NIC}`,
    ],
  });
  await plan(true);
});

test('a NIC whose NetworkManager or systemd-networkd can not be told anything is left to it', async () => {
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
  const file = '/etc/systemd/network/20-lan.network';
  const links = '/run/systemd/netif/links';
  claim(links, `ADMIN_STATE=configured\nNETWORK_FILE=${file}\n`);
  expect(await refusal()).toContain(`(${file})`);
  claim(links, `ADMIN_STATE=configuring\nNETWORK_FILE=${file}\n`);
  expect(await refusal()).toMatch(/is still configuring it[\s\S]*networkctl status/);
});
