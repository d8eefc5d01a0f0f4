/**
 * A host of its own inside the sandbox: network, /run, /etc and /var, with a router and a web server behind its uplink. One
 * may have libvirt as if it were installed, another not.
 */
import { type ChildProcessWithoutNullStreams, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';

const AGENT = new URL('agent.mjs', import.meta.url).pathname;

export interface Probe {
  readonly kind: 'tcp' | 'udp' | 'icmp';
  readonly to: string;
  readonly port?: number;
  readonly from?: string;
  readonly fromPort?: number;
}

/** `as`, `port`: how the other side sees who asks. */
export interface Verdict {
  readonly is: string;
  readonly as?: string;
  readonly port?: number;
}

export interface DhcpAnswer {
  /** 5 an acknowledgement, 6 a refusal. */
  readonly type: number;
  readonly address: string;
  /** By code, in hex. */
  readonly options: Readonly<Record<string, string>>;
}

export interface Agent {
  listen(addresses: readonly string[], ports: readonly number[]): Promise<void>;
  probe(probes: readonly Probe[]): Promise<readonly Verdict[]>;
  /** Whose questions by UDP have come. */
  heard(): Promise<readonly string[]>;
  /** undefined: no answer. */
  dhcp(client: DhcpClient): Promise<DhcpAnswer | undefined>;
  /** What agent.mjs makes of the answers. */
  ask(
    server: string,
    questions: readonly (readonly [kind: string, name: string])[],
  ): Promise<readonly string[]>;
}

interface DhcpClient {
  readonly mac: string;
  readonly clientId?: string;
  readonly hostname?: string;
  readonly request?: string;
}

export interface OtherHost {
  /** stdout; rejects with stderr when it fails. */
  run(script: string): Promise<string>;
  /** In this host's own namespace, or in a named one of it. */
  agent(namespace?: string): Promise<Agent>;
  /** Plugs a machine without an address into a bridge. */
  plug(name: string, bridge: string, mac: string): Promise<Agent>;
}

export const UPLINK = { 4: '203.0.113.2', 6: '2001:db8:1::2' } as const;
export const WEB = { 4: '198.51.100.9', 6: '2001:db8:9::9' } as const;

/** `$1` a tree with usr/ in it, or nothing. Its libraries are found where a loader looks anyway. */
const ENTER = `
mount -t tmpfs tmpfs /run
mkdir /run/netns /run/lock
mount -t tmpfs tmpfs /var/lib
mkdir /var/lib/misc
for dir in /var/log /var/cache; do mount -t tmpfs tmpfs "$dir"; done
mount -t tmpfs tmpfs /mnt
mkdir /mnt/etc
cp -a /etc/. /mnt/etc/
mount --bind /mnt/etc /etc
umount --lazy /mnt
mount -t sysfs sysfs /sys
[ -z "$1" ] || mount -t overlay parity -o lowerdir="$1/usr:/usr" /usr
echo 'nameserver ${WEB[4]}' > /etc/resolv.conf
printf '127.0.0.1 localhost\\n127.0.1.1 hypervisor\\n' > /etc/hosts
hostname hypervisor
ip link set lo up
`;

const OUTSIDE = `
ip netns add router; ip netns add web
ip link add wan0 type veth peer name wan1 netns router
ip link add lan0 netns router type veth peer name eth0 netns web
ip address add ${UPLINK[4]}/24 dev wan0
ip address add ${UPLINK[6]}/64 dev wan0 nodad
ip link set wan0 up
ip -n router -batch - <<END
address add 203.0.113.1/24 dev wan1
address add 2001:db8:1::1/64 dev wan1 nodad
address add 198.51.100.1/24 dev lan0
address add 2001:db8:9::1/64 dev lan0 nodad
link set lo up
link set wan1 up
link set lan0 up
END
ip -n web -batch - <<END
address add ${WEB[4]}/24 dev eth0
address add ${WEB[6]}/64 dev eth0 nodad
link set lo up
link set eth0 up
route add default via 198.51.100.1
route add default via 2001:db8:9::1
END
ip route add default via 203.0.113.1
ip route add default via 2001:db8:1::1
ip netns exec router sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
# A refusal must not be taken for silence because there were many of them.
sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
# A new namespace begins as the machine is.
sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0
ip netns exec router sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
`;

/** @param libvirt what scripts/libvirt prints */
export async function otherHost(libvirt = ''): Promise<OtherHost> {
  // Its own time-sharing system name as well; it ends when the test closes its input.
  const anchor = spawn('unshare', [
    ...['--net', '--mount', '--uts', '--propagation', 'private'],
    ...['sh', '-ec', `${ENTER}\necho ready\ncat > /dev/null`, 'host', libvirt],
  ]);
  const agents: ChildProcessWithoutNullStreams[] = [];
  const said: string[] = [];
  anchor.stderr.on('data', (chunk: Buffer) => said.push(`${chunk}`));
  onTestFinished(async () => {
    for (const child of [...agents, anchor]) {
      const gone = child.exitCode === null ? once(child, 'exit') : undefined;
      child.stdin.end();
      await gone;
    }
  });
  await Promise.race([once(anchor.stdout, 'data'), once(anchor, 'exit')]);
  if (anchor.pid === undefined || anchor.exitCode !== null) throw new Error(`no host: ${said.join('')}`);
  const inside = ['nsenter', '--target', `${anchor.pid}`, '--net', '--mount', '--uts', '--'] as const;
  const run = async (script: string): Promise<string> =>
    (await promisify(execFile)(inside[0], [...inside.slice(1), 'sh', '-ec', script])).stdout;
  const agent = async (namespace?: string): Promise<Agent> => {
    const where = namespace === undefined ? [] : ['ip', 'netns', 'exec', namespace];
    const child = spawn(inside[0], [...inside.slice(1), ...where, process.execPath, AGENT]);
    agents.push(child);
    return talkTo(child);
  };
  await run(OUTSIDE);
  return {
    run,
    agent,
    plug: async (name, bridge, mac) => {
      await run(`
        ip netns add ${name}
        ip link add ${name}0 type veth peer name eth0 address ${mac} netns ${name}
        ip link set ${name}0 master ${bridge} up
        ip -n ${name} link set lo up
        ip -n ${name} link set eth0 up
        ip -n ${name} route add 255.255.255.255 dev eth0`);
      return agent(name);
    },
  };
}

interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

function talkTo(child: ChildProcessWithoutNullStreams): Agent {
  const waiting: ((answer: Answer) => void)[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    const answer = JSON.parse(line) as Answer;
    waiting[answer.id]?.(answer);
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  child.on('exit', () => {
    for (const one of waiting) one({ id: 0, error: `the agent has ended: ${said}` });
  });
  const order = async (words: object): Promise<unknown> => {
    const { result, error } = await new Promise<Answer>((resolve) => {
      const id = waiting.push(resolve) - 1;
      child.stdin.write(`${JSON.stringify({ id, ...words })}\n`);
    });
    if (error !== undefined) throw new Error(error);
    return result;
  };
  return {
    listen: async (addresses, ports) => void (await order({ do: 'listen', addresses, ports })),
    probe: async (probes) => (await order({ do: 'probe', probes })) as readonly Verdict[],
    heard: async () => (await order({ do: 'heard' })) as readonly string[],
    dhcp: async (client) => (await order({ do: 'dhcp', ...client })) as DhcpAnswer | undefined,
    ask: async (server, questions) => (await order({ do: 'ask', server, questions })) as readonly string[],
  };
}
