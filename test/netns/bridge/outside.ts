/** A NIC in use, and what is at the other end of its cable: a network namespace of its own, with a gateway in it. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';

export const NIC = 'up0';
export const ADDRESSES = ['10.9.0.50', 'fd09::50'] as const;

export const ip = (line: string): string =>
  execFileSync('ip', line.split(' '), { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
const outside = (line: string): string => ip(`netns exec outside ${line}`);

/** The cable only; everything goes when the test ends. */
export function cable(): void {
  ip('netns add outside');
  ip(`link add ${NIC} address 52:54:00:aa:bb:01 type veth peer name far netns outside`);
  onTestFinished(unplug);
  outside('ip link set lo up');
  outside('ip link set far up');
  outside('ip address add 10.9.0.1/24 dev far');
  outside('ip address add 10.9.0.2/24 dev far');
  outside('ip address add fd09::1/64 dev far nodad');
  ip(`link set ${NIC} up`);
}

/** Waits until the cable's ends are gone: a namespace is taken down a moment after its name. */
async function unplug(): Promise<void> {
  for (const line of ['link delete br0', `link delete ${NIC}`, 'netns delete outside'])
    try {
      ip(line);
    } catch {
      // Of a test that ended well, some are gone.
    }
  await settled(() => !ip('-br link show').includes(NIC));
}

/** Until it is so; every such thing comes within seconds, and a busy machine may take its time. */
export async function settled(isSo: () => boolean): Promise<void> {
  for (let tries = 0; !isSo(); tries += 1) {
    if (tries > 800) throw new Error(`it did not come to be: ${String(isSo)}`);
    await sleep(50);
  }
}

/** No address is being asked for any more. */
export const quiet = (): Promise<void> =>
  settled(() => {
    const text = ip('-6 -o address show scope link');
    return text.includes(` ${NIC} `) && !ip('-6 -o address').includes('tentative');
  });

/** Lines for `ip`: an administrator's NIC with a bit of everything that this kernel has. */
export const STATIC: readonly string[] = [
  `address add 10.9.0.50/24 brd + dev ${NIC}`,
  `address add 10.9.0.60/24 dev ${NIC} label ${NIC}:1`,
  `address add 10.8.0.5/16 dev ${NIC} metric 300`,
  `address add fd09::50/64 dev ${NIC} nodad`,
  `address add fd09::51/64 dev ${NIC}`,
  `address add fd08::5/64 dev ${NIC} noprefixroute`,
  'route add default via 10.9.0.1 metric 100 mtu 1400 advmss 1300',
  'route add default via 10.9.0.2 metric 200',
  'route add 203.0.113.0/24 nexthop via 10.9.0.1 weight 2 nexthop via 10.9.0.2',
  'route add 198.51.100.0/24 via inet6 fd09::1 proto static',
  `route add 192.0.2.7/32 dev ${NIC} scope link`,
  'route add 10.1.0.0/16 via 10.9.0.1 table 100 src 10.9.0.60 proto dhcp',
  'route add blackhole 192.0.2.0/24',
  `-6 route add default via fd09::1 dev ${NIC} metric 1024`,
  '-6 route add 2001:db8::/32 nexthop via fd09::1 nexthop via fd09::2 weight 3',
  `-6 route add fd08::/64 dev ${NIC} proto kernel metric 100`,
  'rule add from 10.9.0.60 table 100 priority 1000',
  `rule add iif ${NIC} table 100 priority 1001`,
  `-6 rule add oif ${NIC} table 100 priority 99`,
  `neigh add 10.9.0.9 lladdr 02:00:00:00:00:09 dev ${NIC} nud permanent`,
  `neigh add fd09::9 lladdr 02:00:00:00:00:09 dev ${NIC} nud permanent`,
  `neigh add proxy 10.9.0.77 dev ${NIC}`,
];

export function carry(lines: readonly string[]): void {
  for (const line of lines) ip(line);
  onTestFinished(() => {
    for (const line of lines.filter((one) => one.includes('rule add') || one.includes('blackhole')))
      ip(line.replace(' add ', ' del '));
  });
}

export interface Stream {
  readonly kind: 'tcp' | 'udp';
  readonly address: string;
  readonly sent: number;
  readonly lost: number;
  readonly maxGapMs: number;
  /** The session was closed or refused. */
  readonly ended: boolean;
}

const TALK = new URL('talk.mjs', import.meta.url).pathname;

/** Speaks from outside to each address every 10 ms, by UDP and in one TCP session; gives what became of it. */
export async function talk(
  addresses: readonly string[] = ADDRESSES,
): Promise<() => Promise<readonly Stream[]>> {
  const echo = spawn(process.execPath, [TALK, 'echo', '7000'], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void echo.kill());
  await once(echo.stdout, 'data');
  const words = ['netns', 'exec', 'outside', process.execPath, TALK, 'talk', '7000', ...addresses];
  const talker = spawn('ip', words, { stdio: ['pipe', 'pipe', 'inherit'] });
  onTestFinished(() => void talker.kill());
  await once(talker.stdout, 'data');
  return async () => {
    talker.stdin.end();
    const [text] = (await once(talker.stdout, 'data')) as [Buffer];
    return JSON.parse(text.toString()) as Stream[];
  };
}
