/** A DHCP server outside, which hands out 10.9.0.100 to 10.9.0.199 and says that the way out is 10.9.0.1; a name server, too. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** dnsmasq at the other end of the cable; gives what it has said. */
export async function server(
  dir: string,
  { dns = false, v6 = false }: { readonly dns?: boolean; readonly v6?: boolean } = {},
): Promise<() => string> {
  const log = join(dir, 'dnsmasq.log');
  mkdirSync(join(dir, 'hosts'), { recursive: true });
  const words = [
    ...[
      'netns',
      'exec',
      'outside',
      'dnsmasq',
      '--keep-in-foreground',
      '--conf-file=/dev/null',
      '--user=root',
    ],
    ...[
      ...[`--port=${dns ? 53 : 0}`, '--no-resolv'],
      '--pid-file=',
      '--interface=far',
      '--bind-interfaces',
      '--dhcp-authoritative',
      '--no-ping',
    ],
    ...[
      '--dhcp-range=10.9.0.100,10.9.0.199,5m',
      '--dhcp-option=3,10.9.0.1',
      `--dhcp-leasefile=${dir}/leases`,
      `--dhcp-hostsdir=${dir}/hosts`,
    ],
    ...(v6 ? ['--enable-ra', '--ra-param=far,5,600', '--dhcp-range=fd09::100,fd09::1ff,64,10m'] : []),
    ...['--log-dhcp', `--log-facility=${log}`],
  ];
  const child = spawn('ip', words, { stdio: 'inherit' });
  await once(child, 'spawn');
  onTestFinished(async () => {
    child.kill();
    await once(child, 'exit');
  });
  return () => readFileSync(log, 'utf8');
}

/** From now on it gives the NIC this address, and no other. */
export const reserve = (dir: string, address: string): void =>
  writeFileSync(join(dir, 'hosts', 'nic'), `52:54:00:aa:bb:01,${address}\n`);
