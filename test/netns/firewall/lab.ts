/** A network on a host that has a firewall, and services that are none of its guests' business. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { type World, world } from '../../tiers/cli.ts';
import type { Station } from '../../tiers/station.ts';

const LAB = `<network><name>lab</name><forward mode='nat'/><bridge name='lab0' stp='off'/><domain name='lab.example'/>
  <ip address='10.98.0.1' netmask='255.255.255.0'><dhcp><range start='10.98.0.10' end='10.98.0.90'/></dhcp></ip><ip family='ipv6' address='fd98::1' prefix='64'><dhcp><range start='fd98::10' end='fd98::90'/></dhcp></ip></network>`;

/** Defined, not started. */
export async function lab(): Promise<World> {
  const w = world();
  onTestFinished(async () => void (await w.qlaunch('net', 'stop', 'lab', '--force')));
  writeFileSync(join(w.dir, 'lab.xml'), LAB);
  expect(await w.qlaunch('net', 'define', 'lab.xml')).toMatchObject({ status: 0 });
  return w;
}

export const rules = (): string =>
  execFileSync('nft', ['list', 'ruleset'], { encoding: 'utf8' }).replace(/packets \d+ bytes \d+/g, '');

/** A service on all addresses of this host. The kernel takes a connection also while we wait for the client. */
export async function serve(port: number): Promise<void> {
  const server = createServer().listen(port, '::');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
}

export const reaches = (guest: Station, port: number, address = '10.98.0.1'): boolean =>
  guest.status('timeout', '2', 'bash', '-c', `</dev/tcp/${address}/${port}`) === 0;
