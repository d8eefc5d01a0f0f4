// needs: bridge, tap, veth
/** What a guest may do behind its port. */
import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { differences, snapshot } from '../../snapshot.ts';
import { type Started, type World, world } from '../../tiers/cli.ts';
import { consoleOf, type GuestConsole } from '../../tiers/console.ts';
import { guestCopy } from '../../tiers/guest.ts';
import { HOST, lan } from '../../tiers/lan.ts';

interface Guest {
  readonly run: Started;
  readonly console: GuestConsole;
  readonly address: string;
}

async function boot(w: World, name: string, options: string): Promise<Guest> {
  const net = `tap,bridge=br0${options}`;
  const words = ['-n', name, '--accel', 'tcg', '-m', '192', '--serial', 'stdio', '--net', net];
  const run = w.start([guestCopy(w.dir, `${name}.qcow2`), ...words]);
  const console = consoleOf(run.child.stdout, run.child.stdin);
  await console.waitFor('QLAUNCH-GUEST ready');
  const address = /QLAUNCH-GUEST nic eth0 \S+ (10\.77\.0\.\d+)\/24/.exec(console.text())?.[1] ?? '';
  return { run, console, address };
}

let questions = 0;
/** Does `command` succeed in the guest? Its answer is told apart from the echo of what was typed. */
async function succeeds({ console }: Guest, command: string): Promise<boolean> {
  questions += 1;
  console.type(`${command} >/dev/null 2>&1; echo ANSWER-${questions}-$?-`);
  const pattern = new RegExp(`ANSWER-${questions}-(\\d+)-`);
  await console.waitFor(pattern);
  return pattern.exec(console.text())?.[1] === '0';
}

const ping = (address: string, from?: string): string =>
  `ping -c 2 -W 3 ${from === undefined ? '' : `-I ${from} `}${address}`;

async function end({ run }: Guest): Promise<void> {
  run.child.kill('SIGINT');
  expect(await run.status).toBe(0);
}

test('isolated guests reach the host, and not each other', async () => {
  await lan();
  const before = snapshot();
  const w = world();
  const guests = await Promise.all([boot(w, 'a', ',isolated=on'), boot(w, 'b', ',isolated=on')]);
  const [a, b] = guests;
  expect(await succeeds(a, ping(HOST))).toBe(true);
  expect(await succeeds(b, ping(HOST))).toBe(true);
  expect(await succeeds(a, ping(b.address))).toBe(false);
  // The port, not the guest, is in the way.
  execFileSync('ip', ['link', 'set', 'dev', 'qt-b0', 'type', 'bridge_slave', 'isolated', 'off']);
  expect(await succeeds(a, ping(b.address))).toBe(true);
  await Promise.all(guests.map(end));
  expect(differences(before, snapshot())).toEqual([]);
});

test('a guest speaks with its own addresses only, and has the rate it was given', async () => {
  await lan();
  const before = snapshot();
  const w = world();
  const guest = await boot(w, 'g', ',antispoof=10.77.0.7,rate=20mbit/10mbit');
  expect(execFileSync('tc', ['qdisc', 'show', 'dev', 'qt-g0'], { encoding: 'utf8' })).toMatch(
    /qdisc tbf .* root .*rate 20Mbit/,
  );
  // Its lease is not the address it may have: DHCP itself passes, nothing else does.
  expect(guest.address).toMatch(/^10\.77\.0\./);
  expect(await succeeds(guest, ping(HOST))).toBe(false);
  expect(await succeeds(guest, 'ip address add 10.77.0.7/24 dev eth0')).toBe(true);
  expect(await succeeds(guest, ping(HOST, '10.77.0.7'))).toBe(true);
  expect(await succeeds(guest, 'ip link set eth0 address 52:54:00:de:ad:01')).toBe(true);
  expect(await succeeds(guest, ping(HOST, '10.77.0.7'))).toBe(false);
  await end(guest);
  expect(differences(before, snapshot())).toEqual([]);
});

test('what a port can not have is refused, and nothing is made', async () => {
  await lan();
  const before = snapshot();
  const w = world();
  const run = await w.qlaunch(guestCopy(w.dir), '-d', '--accel', 'tcg', '--net', 'tap,bridge=br0,vlan=10');
  expect(run.status).toBe(3);
  expect(run.stderr).toContain('sudo ip link set dev br0 type bridge vlan_filtering 1');
  expect(differences(before, snapshot())).toEqual([]);
});
