// needs: bridge, veth, br_netfilter
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { differences, type Snapshot, snapshot } from '../../snapshot.ts';
import { world } from '../../tiers/cli.ts';
import { hostWith } from './managers.ts';
import { ip } from './outside.ts';

const look = (): Snapshot => snapshot({ files: [] });
const nft = (line: string): void => void execFileSync('nft', [line]);
const called = (): string => readFileSync('/proc/sys/net/bridge/bridge-nf-call-iptables', 'utf8').trim();

/** Two machines at ports of br0. */
function guests(): void {
  for (const [name, address] of [
    ['g1', '192.0.2.1'],
    ['g2', '192.0.2.2'],
  ] as const) {
    ip(`netns add ${name}`);
    ip(`link add ${name} type veth peer name eth0 netns ${name}`);
    ip(`link set ${name} up master br0`);
    ip(`netns exec ${name} ip link set eth0 up`);
    ip(`netns exec ${name} ip address add ${address}/24 dev eth0`);
  }
}

function leave(): void {
  for (const name of ['g1', 'g2']) {
    spawnSync('ip', ['link', 'delete', name]);
    spawnSync('ip', ['netns', 'delete', name]);
  }
}

/** ARP is not in the way, so that a lost ping was dropped by the firewall. */
const pings = (): boolean =>
  spawnSync('ip', ['netns', 'exec', 'g1', 'ping', '-c', '3', '-i', '0.3', '-W', '1', '192.0.2.2']).status ===
  0;

test('--bridge-nf: off is refused beside Docker, accept lets guests pass its FORWARD; off without it is shared, and put back', async () => {
  const { qlaunch } = world();
  onTestFinished(leave);
  for (const call of ['iptables', 'ip6tables', 'arptables'])
    execFileSync('sysctl', ['-qw', `net.bridge.bridge-nf-call-${call}=1`]);
  nft('add table ip filter');
  onTestFinished(() => nft('delete table ip filter'));
  nft('add chain ip filter DOCKER-USER');
  nft('add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; }');
  nft('add rule ip filter FORWARD jump DOCKER-USER');
  const before = look();

  const refused = await qlaunch('bridge', 'create', 'br0', '--bridge-nf', 'off');
  expect(refused.status).toBe(3);
  expect(refused.stderr).toContain('Docker (DOCKER-USER) needs it');
  expect(refused.stderr).toContain('bridge set br0 --bridge-nf accept');
  expect((await qlaunch('bridge', 'create', 'br0', '--bridge-nf', 'perhaps')).status).toBe(2);
  const kept = await qlaunch('bridge', 'create', 'br0', '--bridge-nf', 'accept', '--persist=networkd');
  expect(kept.status).toBe(3);
  expect(kept.stderr).toContain('systemd-networkd runs no commands when a link comes up');
  expect(kept.stderr).toContain('qlaunch bridge set br0 --bridge-nf accept   # after each boot');
  expect(differences(before, look())).toEqual([]);

  expect(await qlaunch('bridge', 'create', 'br0')).toMatchObject({ status: 0 });
  guests();
  expect(pings()).toBe(false);
  expect(await qlaunch('bridge', 'set', 'br0', '--bridge-nf', 'accept')).toMatchObject({ status: 0 });
  expect(pings()).toBe(true);
  leave();
  expect(await qlaunch('bridge', 'delete', 'br0')).toMatchObject({ status: 0 });
  expect(differences(before, look())).toEqual([]);

  nft('flush chain ip filter FORWARD');
  nft('delete chain ip filter DOCKER-USER');
  const without = look();
  for (const name of ['br0', 'br1'])
    expect(await qlaunch('bridge', 'create', name, '--bridge-nf', 'off')).toMatchObject({ status: 0 });
  guests();
  expect([called(), pings()]).toEqual(['0', true]);
  leave();
  await qlaunch('bridge', 'delete', 'br0');
  expect(called()).toBe('0');
  await qlaunch('bridge', 'delete', 'br1');
  expect(differences(without, look())).toEqual([]);
}, 90_000);

const forwards = (): string => readFileSync('/proc/sys/net/ipv4/ip_forward', 'utf8').trim();

test('--ip-forward: how it is, who needs it and what it means are told; changed, it is put back, and kept over a boot', async () => {
  const { qlaunch } = hostWith(undefined, '/etc/systemd/network', '/run/systemd/netif/links');
  const before = look();
  expect(forwards()).toBe('0');
  const made = await qlaunch('bridge', 'create', 'br0', '--ip-forward', 'leave');
  expect(made).toMatchObject({ status: 0 });
  expect(made.stderr + made.stdout).toContain(
    'note   IPv4 forwarding: it is off; nothing here needs it; now as it was. A bridge does not need it',
  );
  const dry = await qlaunch('bridge', 'set', 'br0', '--ip-forward', 'on', '--dry-run');
  expect(dry.stdout).toContain('# let this host route IPv4 (it is off; nothing here needs it)');
  expect(dry.stdout).toContain(
    '# IPv4 forwarding: it was off; nothing here needs it; now on: whoever uses this host',
  );
  expect(await qlaunch('bridge', 'set', 'br0', '--ip-forward', 'on')).toMatchObject({ status: 0 });
  expect(forwards()).toBe('1');
  await qlaunch('bridge', 'delete', 'br0');
  expect(differences(before, look())).toEqual([]);

  // The line that people put into sysctl.conf; what is there by then has the last word.
  const file = '/etc/sysctl.d/60-qlaunch-br0-forward.conf';
  const conf = '/etc/sysctl.conf';
  const kept = existsSync(conf) ? readFileSync(conf) : undefined;
  onTestFinished(() => (kept === undefined ? rmSync(conf, { force: true }) : writeFileSync(conf, kept)));
  writeFileSync(conf, 'net.ipv4.ip_forward = 0\n');
  const create = ['bridge', 'create', 'br0', '--ip-forward', 'on', '--persist=networkd'];
  const refused = await qlaunch(...create);
  expect(refused.status).toBe(3);
  expect(refused.stderr).toContain(`${conf} says 0, and is read after ${file}`);
  writeFileSync(conf, '#net.ipv4.ip_forward=0\n');
  expect(await qlaunch(...create)).toMatchObject({ status: 0 });
  execFileSync('sysctl', ['-qw', 'net.ipv4.ip_forward=0']);
  execFileSync('sysctl', ['-q', '-p', file]);
  expect(forwards()).toBe('1');

  ip('link add docker0 type bridge');
  onTestFinished(() => void spawnSync('ip', ['link', 'delete', 'docker0']));
  const off = await qlaunch('bridge', 'set', 'br0', '--ip-forward', 'off');
  expect(off.status).toBe(3);
  expect(off.stderr).toContain('docker0 needs it: what it has behind it would reach nothing any more');
  ip('link delete docker0');
  expect(await qlaunch('bridge', 'delete', 'br0')).toMatchObject({ status: 0 });
  expect(existsSync(file)).toBe(false);
  expect(differences(before, look())).toEqual([]);
}, 60_000);
