// needs: bridge, nft_inet, nft_nat, veth
/** Firewalls that drop what guests need, as they are found on hosts: opened in their own words, and closed again. */
import { execFileSync, spawnSync } from 'node:child_process';
import { expect, onTestFinished, test } from 'vitest';
import { differences, snapshot } from '../../snapshot.ts';
import { internet } from '../../tiers/internet.ts';
import { station } from '../../tiers/station.ts';
import { lab, reaches, rules, serve } from './lab.ts';

/** As an administrator writes it (nftables wiki, "Simple ruleset for a server"). */
const SERVER = `table inet guard {
  set open { type inet_service; elements = { 22, 443 } }
  chain input {
    type filter hook input priority filter; policy drop;
    ct state vmap { established : accept, related : accept, invalid : drop }
    iifname "lo" accept
    tcp dport @open accept
    meta l4proto { icmp, ipv6-icmp } accept
  }
  chain forward { type filter hook forward priority filter; policy drop; meta l4proto icmp drop; }
}`;

/** Docker 24 on Debian 12, as iptables-nft 1.8.9 keeps it. */
const DOCKER = `table ip filter {
  chain INPUT { type filter hook input priority filter; policy accept; }
  chain DOCKER { }
  chain DOCKER-ISOLATION-STAGE-1 { counter return; }
  chain DOCKER-USER { meta l4proto icmp counter drop; counter return; }
  chain FORWARD {
    type filter hook forward priority filter; policy drop;
    counter jump DOCKER-USER
    counter jump DOCKER-ISOLATION-STAGE-1
    oifname "docker0" ct state related,established counter accept
    oifname "docker0" counter jump DOCKER
    iifname "docker0" oifname != "docker0" counter accept
    iifname "docker0" oifname "docker0" counter accept
  }
}`;

function foreign(ruleset: string, table: string): void {
  execFileSync('nft', ['-f', '-'], { input: ruleset });
  onTestFinished(() => void spawnSync('nft', ['delete', 'table', ...table.split(' ')]));
}

test.each([
  [
    'a server’s own rules',
    SERVER,
    'inet guard',
    'the table inet guard drops in inet guard input by its policy',
    false,
  ],
  ['Docker', DOCKER, 'ip filter', 'Docker drops in ip filter FORWARD by its policy', true],
])('%s', async (_name, ruleset, table, said, open) => {
  const { nonce, url } = await internet();
  const w = await lab();
  foreign(ruleset, table);
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
