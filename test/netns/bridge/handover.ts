/** A NIC that a running network manager has, with a lease from outside. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, onTestFinished } from 'vitest';
import { programs, type World } from '../../tiers/cli.ts';
import { ip, NIC, type Stream, settled } from './outside.ts';

export const CREATE: readonly string[] = ['bridge', 'create', 'br0', '--uplink', NIC];

/** What a manager may drop when it takes a link over: of WireGuard, say. */
const FOREIGN: readonly string[] = [
  'rule add not fwmark 0xca6c priority 200 table 100',
  `rule add iif ${NIC} priority 202 table 100`,
  '-6 rule add to fd06::/64 priority 203 table 100',
  'route add blackhole 10.66.0.0/16',
  '-6 route add unreachable fd66::/48',
];

/** By hand, beside a profile that says `iif NIC priority 201 table 101`. */
export function foreign(): void {
  for (const line of FOREIGN) ip(line);
  onTestFinished(() => {
    for (const line of ['rule add iif br0 priority 201 table 101', ...FOREIGN])
      try {
        ip(line.replace(' add ', ' del '));
      } catch {
        // The manager may have, or the other link.
      }
  });
}

/** "10.9.0.100", of the server outside. */
export async function leaseOn(link: string): Promise<string> {
  const found = (): string | undefined =>
    /inet (10\.9\.0\.1\d\d)\/24/.exec(ip(`-4 -o address show dev ${link}`))?.[1];
  await settled(() => found() !== undefined);
  return found() ?? '';
}

/** What an administrator sees, without what counts down. */
export const look = (): readonly string[] =>
  ['-o address', 'route show table all', '-6 route show table all', 'rule', '-6 rule', '-br link']
    .map(ip)
    .join('')
    .split('\n')
    .filter((line) => !/ff00::/.test(line))
    .map((line) => line.replaceAll(/((valid|preferred)_lft|expires) \S+|^\d+: /g, '').trim())
    .toSorted();

const trial = (of: World): string => `${of.env['QLAUNCH_RUNTIME_DIR']}/confirm`;

/** Until the watcher has put all back: its last act is to remove its files. Else its log says what kept it from it. */
export async function reverted(of: World): Promise<void> {
  const left = (): readonly string[] => readdirSync(trial(of));
  await settled(() => left().length === 0).catch(() => undefined);
  const logs = left().filter((name) => name.endsWith('.log'));
  expect(logs.map((name) => readFileSync(`${trial(of)}/${name}`, 'utf8'))).toEqual([]);
  expect(left()).toEqual([]);
}

/** Until it has ended, whatever it could do. */
async function watched(of: World): Promise<void> {
  const name = (existsSync(trial(of)) ? readdirSync(trial(of)) : []).find((one) => one.endsWith('.armed'));
  const pid = name === undefined ? '' : readFileSync(`${trial(of)}/${name}`, 'utf8').trim();
  await settled(() => pid === '' || !existsSync(`/proc/${pid}`));
}

/** Killed when it has come so far; the watcher, or else `recover`, puts all back. */
export async function killedWhen(of: World, isSo: () => boolean): Promise<void> {
  const child: ChildProcess = spawn(programs[0]?.path ?? '', CREATE, {
    env: { ...process.env, ...of.env },
    stdio: 'ignore',
  });
  while (!isSo() && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 2));
  expect(child.exitCode).toBe(null);
  child.kill('SIGKILL');
  await watched(of);
  expect(await of.qlaunch('recover')).toMatchObject({ status: 0 });
}

/** What networkd says of a link. */
export function networkdState(link: string): string {
  const [, index = ''] = /^(\d+):/.exec(ip(`-o link show dev ${link}`)) ?? [];
  const path = `/run/systemd/netif/links/${index}`;
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

/** The session lived; of what is said every 10 ms not more was lost than was silence of three seconds. */
export function expectAlive({ ended, sent, lost }: Stream): void {
  expect(ended).toBe(false);
  expect(sent).toBeGreaterThan(100);
  expect(lost).toBeLessThan(300);
}
