/** A guest without a machine: a network namespace, plugged into a bridge by a veth pair. busybox is its DHCP client. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { scratchDir } from './guest.ts';

export interface Station {
  readonly name: string;
  /** stdout; throws when the command fails. */
  run(...argv: readonly [string, ...string[]]): string;
  /** Its exit status. */
  status(...argv: readonly [string, ...string[]]): number | null;
  /** The address it gets; undefined: none in time. `clientId`: in hex, of an operating system that makes its own. */
  dhcp(clientId?: string): string | undefined;
  /** The IPv6 address it gets by DHCPv6; undefined: none in time. */
  dhcp6(): string | undefined;
  /** The body of an answer; undefined: none within two seconds. */
  fetch(url: string): string | undefined;
  /** Pulls its cable out. */
  unplug(): void;
  /** Records of any kind, as node:dns gives them; null: none, or no answer. */
  ask(kind: 'TXT' | 'SRV' | 'A' | 'PTR', name: string, server: string): unknown;
  /** IPv4 addresses of a name; empty: none, or no answer. */
  resolve(host: string, server: string): readonly string[];
}

// busybox's wget crashes with a deadline (1.35), and its nslookup waits for IPv6.
const FETCH = `
  require('node:http').get(process.argv[1], { timeout: 2000 }, (answer) => answer.pipe(process.stdout))
    .on('timeout', () => process.exit(1)).on('error', () => process.exit(1));
`;
const RESOLVE = `
  const resolver = new (require('node:dns').promises.Resolver)({ timeout: 1000, tries: 2 });
  resolver.setServers([process.argv[2]]);
  resolver.resolve4(process.argv[1]).catch(() => []).then((found) => console.log(JSON.stringify(found)));
`;

const ASK = `
  const resolver = new (require('node:dns').promises.Resolver)({ timeout: 1000, tries: 2 });
  resolver.setServers([process.argv[2]]);
  resolver.resolve(process.argv[1], process.argv[3]).catch(() => null)
    .then((found) => console.log(JSON.stringify(found)));
`;

const ip = (...words: readonly string[]): void => void execFileSync('ip', words);

const SCRIPT = `#!/bin/sh
[ "$1" = bound ] || [ "$1" = renew ] || exit 0
ip address flush dev "$interface"
ip address add "$ip/$mask" dev "$interface"
[ -z "$router" ] || ip route replace default via "$router"
echo "got $ip router $router dns $dns domain $domain"
`;

/** dhclient-script(8). */
const SCRIPT6 = `#!/bin/sh
case $reason in
  PREINIT6) ip link set dev "$interface" up ;;
  BOUND6) ip address add "$new_ip6_address/$new_ip6_prefixlen" dev "$interface" nodad; echo "got $new_ip6_address" ;;
esac
exit 0
`;

export function station(name: string, bridge: string): Station {
  const dir = scratchDir();
  const script = join(dir, 'udhcpc');
  writeFileSync(script, SCRIPT);
  chmodSync(script, 0o755);
  const script6 = join(dir, 'dhclient6');
  writeFileSync(script6, SCRIPT6);
  chmodSync(script6, 0o755);
  ip('netns', 'add', name);
  ip('link', 'add', `${name}0`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
  onTestFinished(() => {
    spawnSync('ip', ['link', 'delete', 'dev', `${name}0`]);
    ip('netns', 'delete', name);
  });
  ip('link', 'set', 'dev', `${name}0`, 'master', bridge, 'up');
  for (const dev of ['lo', 'eth0']) ip('-n', name, 'link', 'set', 'dev', dev, 'up');
  const inside = (argv: readonly string[]): [string, string[]] => ['ip', ['netns', 'exec', name, ...argv]];
  const tried = (argv: readonly string[]): { status: number | null; stdout: string } => {
    const { status, stdout } = spawnSync(...inside(argv), { encoding: 'utf8' });
    return { status, stdout };
  };
  return {
    name,
    run: (...argv) => execFileSync(...inside(argv), { encoding: 'utf8' }),
    status: (...argv) => tried(argv).status,
    dhcp: (clientId) => {
      const argv = [
        'busybox',
        'udhcpc',
        '-nqf',
        // dnsmasq pings an address for three seconds before it gives it.
        '-t',
        '10',
        '-T',
        '1',
        '-x',
        `hostname:${name}`,
        ...(clientId === undefined ? [] : ['-x', `0x3d:${clientId}`]),
        '-i',
        'eth0',
        '-s',
        script,
      ];
      return /^got (\S+)/m.exec(tried(argv).stdout)?.[1];
    },
    dhcp6: () => {
      const file = (end: string): string => join(dir, `dhclient6.${end}`);
      const client = `dhclient -6 -sf ${script6} -lf ${file('leases')} -pf ${file('pid')}`;
      // It goes to the background, and would hold a pipe open; then it is told to go, and the address stays.
      tried(['sh', '-c', `timeout 20 ${client} -1 eth0 > ${file('out')} 2>&1; ${client} -x 2>/dev/null`]);
      const stdout = readFileSync(file('out'), 'utf8');
      return /^got (\S+)/m.exec(stdout)?.[1];
    },
    fetch: (url) => {
      const { status, stdout } = tried([process.execPath, '-e', FETCH, url]);
      return status === 0 ? stdout : undefined;
    },
    unplug: () => ip('link', 'delete', 'dev', `${name}0`),
    ask: (kind, host, server) =>
      JSON.parse(tried([process.execPath, '-e', ASK, host, server, kind]).stdout) as unknown,
    resolve: (host, server) => {
      const { stdout } = tried([process.execPath, '-e', RESOLVE, host, server]);
      return JSON.parse(stdout) as readonly string[];
    },
  };
}
