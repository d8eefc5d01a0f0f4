// needs: bridge, nft_inet, nft_nat, veth
/** Firewalls that drop what guests need, as they are found on hosts: opened in their own words, and closed again. */
import { execFileSync, spawnSync } from 'node:child_process';
import { expect, onTestFinished, test } from 'vitest';
import { differences, snapshot } from '../../snapshot.ts';
import { internet } from '../../tiers/internet.ts';
import { settled } from '../../tiers/lan.ts';
import { station } from '../../tiers/station.ts';
import { iptables, sh } from './daemons.ts';
import { lab, reaches, rules, serve } from './lab.ts';

/** As an administrator writes it (nftables wiki, "Simple ruleset for a server"). */
const SERVER = `table inet guard {
  set open { type inet_service; elements = { 22, 443 } }
  chain input {
    type filter hook input priority filter;
    ct state vmap { established : accept, related : accept, invalid : drop }
    iifname "lo" accept
    tcp dport @open accept
    meta l4proto { icmp, ipv6-icmp } accept
    counter drop
  }
  chain forward { type filter hook forward priority filter; policy drop; meta l4proto icmp drop; }
}`;

/** As Docker 24 tells iptables, and an administrator Docker's chain for him. For a docker0 forwarding would stay on. */
const DOCKER = `-N DOCKER
-N DOCKER-ISOLATION-STAGE-1
-N DOCKER-USER
-P FORWARD DROP
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-ISOLATION-STAGE-1
-A FORWARD -o bridge1 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -o bridge1 -j DOCKER
-A FORWARD -i bridge1 ! -o bridge1 -j ACCEPT
-A FORWARD -i bridge1 -o bridge1 -j ACCEPT
-A DOCKER-ISOLATION-STAGE-1 -j RETURN
-A DOCKER -d 172.17.0.2/32 ! -i bridge1 -o bridge1 -p tcp -m tcp --dport 80 -j ACCEPT
-A DOCKER-USER -p icmp -j DROP
-A DOCKER-USER -j RETURN`;

function server(): void {
  execFileSync('nft', ['-f', '-'], { input: SERVER });
  onTestFinished(() => void spawnSync('nft', ['delete', 'table', 'inet', 'guard']));
}

/** A container with two ports, of which one is published. */
async function container(): Promise<void> {
  for (const line of [
    'link add bridge1 type bridge',
    'address add 172.17.0.1/16 dev bridge1',
    'link set dev bridge1 up',
  ])
    execFileSync('ip', line.split(' '));
  onTestFinished(() => void spawnSync('ip', ['link', 'delete', 'dev', 'bridge1']));
  const box = station('box', 'bridge1');
  box.run('ip', 'address', 'add', '172.17.0.2/16', 'dev', 'eth0');
  box.run('ip', 'route', 'add', 'default', 'via', '172.17.0.1');
  await settled('bridge1', 'box0');
  for (const port of ['80', '81']) box.run('busybox', 'httpd', '-p', port);
  onTestFinished(() => void sh('ip netns pids box | xargs -r kill'));
}

async function docker(): Promise<void> {
  iptables();
  await container();
  for (const line of DOCKER.split('\n')) sh(`iptables -w ${line}`);
  onTestFinished(() => void spawnSync('nft', ['delete', 'table', 'ip', 'filter']));
}

test.each([
  [
    'a server’s own rules',
    server,
    'the table inet guard drops in inet guard input by the rule "drop" of input',
    false,
  ],
  ['Docker', docker, 'Docker drops in ip filter FORWARD by its policy', true],
])('%s', async (_name, set, said, open) => {
  const { nonce, url } = await internet();
  const w = await lab();
  await set();
  const [before, rulesBefore] = [snapshot(), rules()];
  const started = await w.qlaunch('net', 'start', 'lab');
  expect(started).toMatchObject({ status: 0, stderr: expect.stringContaining(said) });
  const guest = station('guest', 'lab0');
  const address = guest.dhcp();
  expect(address).toMatch(/^10\.98\.0\./);
  expect(guest.resolve('guest.lab.example', '10.98.0.1')).toEqual([address]);
  expect(guest.fetch(url)).toBe(`${nonce}\n`);
  // What somebody drops by a rule of his own.
  expect(guest.status('busybox', 'ping', '-c', '1', '-W', '2', '198.51.100.9')).toBe(1);
  // What was closed and is not needed stays so.
  await serve(8080);
  expect(reaches(guest, 8080)).toBe(open);
  if (open) expect([80, 81].map((port) => reaches(guest, port, '172.17.0.2'))).toEqual([true, false]);
  // Whoever takes the bridge away first: what was opened for it is closed.
  if (!open) execFileSync('ip', ['link', 'delete', 'dev', 'lab0']);
  expect(await w.qlaunch('net', 'stop', 'lab', '--force')).toMatchObject({ status: 0 });
  execFileSync('ip', ['link', 'delete', 'dev', 'guest0']);
  expect(rules()).toBe(rulesBefore);
  expect(differences(before, snapshot())).toEqual([]);
});
