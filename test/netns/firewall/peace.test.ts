// needs: bridge, nft_inet, nft_nat, veth
/** Firewalls that drop what guests need, as they are found on hosts: opened in their own words, and closed again. */
import { execFileSync, spawnSync } from 'node:child_process';
import { expect, onTestFinished, test } from 'vitest';
import { differences, snapshot } from '../../snapshot.ts';
import { internet } from '../../tiers/internet.ts';
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

/** As Docker 24 tells iptables, and an administrator Docker's chain for him. */
const DOCKER = `-N DOCKER
-N DOCKER-ISOLATION-STAGE-1
-N DOCKER-USER
-P FORWARD DROP
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-ISOLATION-STAGE-1
-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -o docker0 -j DOCKER
-A FORWARD -i docker0 ! -o docker0 -j ACCEPT
-A FORWARD -i docker0 -o docker0 -j ACCEPT
-A DOCKER-ISOLATION-STAGE-1 -j RETURN
-A DOCKER-USER -p icmp -j DROP
-A DOCKER-USER -j RETURN`;

function server(): void {
  execFileSync('nft', ['-f', '-'], { input: SERVER });
  onTestFinished(() => void spawnSync('nft', ['delete', 'table', 'inet', 'guard']));
}

function docker(): void {
  iptables();
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
  set();
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
  // Whoever takes the bridge away first: what was opened for it is closed.
  if (!open) execFileSync('ip', ['link', 'delete', 'dev', 'lab0']);
  expect(await w.qlaunch('net', 'stop', 'lab', '--force')).toMatchObject({ status: 0 });
  execFileSync('ip', ['link', 'delete', 'dev', 'guest0']);
  expect(rules()).toBe(rulesBefore);
  expect(differences(before, snapshot())).toEqual([]);
});
