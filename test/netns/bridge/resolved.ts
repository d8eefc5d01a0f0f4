/** Debian's systemd-resolved, really running. */
import { execFileSync } from 'node:child_process';
import { appendFileSync, chmodSync, chownSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { daemon, NETWORK_MANAGERS } from './managers.ts';
import { settled } from './outside.ts';

const UID = 990;
const BUS = '/run/dbus/system_bus_socket';

/** A bus on which everybody may say everything, and Debian's systemd-resolved on it. */
export async function resolved(dir: string): Promise<void> {
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

/** @returns a directory for the PATH with resolvectl in it, and what runs it: its stdout, undefined where it fails */
export function resolvectlIn(dir: string): {
  readonly bin: string;
  readonly resolvectl: (...words: readonly string[]) => string | undefined;
} {
  const bin = join(dir, 'bin');
  mkdirSync(bin);
  const libraries = `${NETWORK_MANAGERS}/usr/lib/x86_64-linux-gnu/systemd:${NETWORK_MANAGERS}/lib/x86_64-linux-gnu/systemd`;
  const path = join(bin, 'resolvectl');
  writeFileSync(
    path,
    `#!/bin/sh\nLD_LIBRARY_PATH=${libraries} exec ${NETWORK_MANAGERS}/usr/bin/resolvectl "$@"\n`,
  );
  chmodSync(path, 0o755);
  const resolvectl = (...words: readonly string[]): string | undefined => {
    try {
      return execFileSync(path, words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    } catch {
      return undefined;
    }
  };
  return { bin, resolvectl };
}
