/** A machine of its own with a cable to the port g0. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { ip } from './outside.ts';

export function guest(): void {
  ip('netns add guest');
  onTestFinished(() => void ip('netns delete guest'));
  ip('link add g0 type veth peer name eth0 netns guest');
  ip('netns exec guest ip link set lo up');
}

const SCRIPT = `#!/bin/sh
case $1 in
  deconfig) ip address flush dev "$interface"; ip link set "$interface" up ;;
  bound) ip address replace "$ip/$mask" dev "$interface"; ip route replace default via "$router" ;;
esac
`;

/** Its address from the server outside. */
export function askedOutside(dir: string): string {
  const script = join(dir, 'script');
  writeFileSync(script, SCRIPT, { mode: 0o755 });
  execFileSync('ip', [
    ...['netns', 'exec', 'guest', 'busybox', 'udhcpc', '-i', 'eth0', '-s', script],
    ...['-n', '-q', '-t', '20'],
  ]);
  return /inet (10\.9\.0\.1\d\d)\/24/.exec(ip('netns exec guest ip -4 -o address show dev eth0'))?.[1] ?? '';
}
