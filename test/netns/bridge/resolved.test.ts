// needs: bridge, veth
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { scratchDir } from '../../tiers/guest.ts';
import { daemon, hostWith, NETWORK_MANAGERS } from './managers.ts';
import { cable, ip, NIC, quiet, settled } from './outside.ts';
import { server } from './server.ts';

const UID = 990;
const BUS = '/run/dbus/system_bus_socket';

/** A bus on which everybody may say everything, and Debian's systemd-resolved on it. */
async function resolved(dir: string): Promise<void> {
  appendFileSync('/etc/passwd', `systemd-resolve:x:${UID}:${UID}::/:/usr/sbin/nologin\n`);
  appendFileSync('/etc/group', `systemd-resolve:x:${UID}:\n`);
  mkdirSync('/run/dbus', { recursive: true });
  mkdirSync('/run/systemd/resolve', { recursive: true });
  chownSync('/run/systemd/resolve', UID, UID);
  const config = join(dir, 'bus.conf');
  const allow = [
    'send_destination="*"',
    'own="*"',
    'user="*"',
    'eavesdrop="true"',
    'receive_type="method_call"',
  ];
  writeFileSync(
    config,
    `<busconfig><type>system</type><listen>unix:path=${BUS}</listen><auth>EXTERNAL</auth><policy context="default">${allow
      .map((what) => `<allow ${what}/>`)
      .join('')}</policy></busconfig>`,
  );
  daemon([`${NETWORK_MANAGERS}/usr/bin/dbus-daemon`, `--config-file=${config}`, '--nofork', '--nopidfile']);
  await settled(() => existsSync(BUS));
  daemon([`${NETWORK_MANAGERS}/lib/systemd/systemd-resolved`]);
}

test("what systemd-resolved has for the NIC is the bridge's, and the NIC's again when that goes", async () => {
  const dir = scratchDir();
  const bin = join(dir, 'bin');
  mkdirSync(bin);
  const libraries = `${NETWORK_MANAGERS}/usr/lib/x86_64-linux-gnu/systemd:${NETWORK_MANAGERS}/lib/x86_64-linux-gnu/systemd`;
  writeFileSync(
    join(bin, 'resolvectl'),
    `#!/bin/sh\nLD_LIBRARY_PATH=${libraries} exec ${NETWORK_MANAGERS}/usr/bin/resolvectl "$@"\n`,
  );
  chmodSync(join(bin, 'resolvectl'), 0o755);
  const { qlaunch } = hostWith(bin);
  const resolvectl = (...words: readonly string[]): string =>
    execFileSync(join(bin, 'resolvectl'), words, { encoding: 'utf8' });
  cable();
  ip(`address add 10.9.0.50/24 dev ${NIC}`);
  await server(dir, { dns: true });
  await resolved(dir);
  await quiet();
  await expect
    .poll(
      () => {
        try {
          return resolvectl('dns', NIC, '10.9.0.1', '10.9.0.200');
        } catch {
          return undefined;
        }
      },
      { timeout: 30_000 },
    )
    .toBe('');
  resolvectl('domain', NIC, 'lan.test', '~corp.test');
  resolvectl('default-route', NIC, 'yes');
  const index = (link: string): string => readFileSync(`/sys/class/net/${link}/ifindex`, 'utf8').trim();
  const kept = (link: string): string =>
    existsSync(`/run/systemd/resolve/netif/${index(link)}`)
      ? readFileSync(`/run/systemd/resolve/netif/${index(link)}`, 'utf8')
      : '';
  const before = kept(NIC);
  expect(before).toContain('SERVERS=10.9.0.1 10.9.0.200\n');

  const made = await qlaunch('bridge', 'create', 'br0', '--uplink', NIC);
  expect(made).toMatchObject({ status: 0, stderr: '' });
  expect(made.stdout).toContain('  proven   the name server 10.9.0.1 answers as before\n');
  expect(kept('br0')).toBe(before);
  expect(kept(NIC)).not.toContain('SERVERS=');
  expect(await qlaunch('bridge', 'revert')).toMatchObject({ status: 0 });
  expect(kept(NIC)).toBe(before);
}, 90_000);
