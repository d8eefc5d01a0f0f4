/** A LAN in the test's own network namespace: a bridge as an administrator has it, with an uplink and a DHCP server. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { scratchDir } from './guest.ts';

export const HOST = '10.77.0.1';
/** Not 1500, so that a port which does not take it over shows. */
export const MTU = 1400;

const ip = (line: string): void => void execFileSync('ip', line.split(' '));

/** br0, whose address nobody set: it follows its ports. Taken down when the test ends. */
export async function lan(): Promise<void> {
  ip('link add name up0 address 52:54:00:aa:bb:01 type veth peer name up1');
  ip('link add name br0 type bridge');
  ip(`link set dev up0 mtu ${MTU} master br0 up`);
  ip('link set dev up1 up');
  ip(`link set dev br0 mtu ${MTU} up`);
  ip(`address add ${HOST}/24 dev br0`);
  onTestFinished(() => {
    ip('link delete dev br0');
    ip('link delete dev up0');
  });
  await settled('br0', 'up0', 'up1');
  await serveDhcp();
}

/** Until each has its link-local address, and has seen that nobody else has it: a snapshot would show the difference. */
export async function settled(...names: readonly string[]): Promise<void> {
  const isSettled = (name: string): boolean => {
    const text = execFileSync('ip', ['-6', '-o', 'address', 'show', 'dev', name, 'scope', 'link']).toString();
    return text.includes('fe80:') && !text.includes('tentative');
  };
  for (let tries = 0; !names.every(isSettled); tries += 1) {
    if (tries > 300) throw new Error(`${names.join(', ')} do not all get a link-local address`);
    await sleep(100);
  }
}

async function serveDhcp(): Promise<void> {
  const dir = scratchDir();
  const server = spawn('dnsmasq', [
    ...['--keep-in-foreground', '--conf-file=/dev/null', '--user=root', '--port=0', '--pid-file='],
    ...['--interface=br0', '--bind-interfaces', '--dhcp-authoritative', '--no-ping'],
    ...['--dhcp-range=10.77.0.50,10.77.0.99,5m', `--dhcp-leasefile=${dir}/leases`],
  ]);
  await once(server, 'spawn');
  onTestFinished(async () => {
    server.kill();
    await once(server, 'exit');
  });
}

interface Port {
  readonly ifname: string;
  readonly master: string;
  readonly mtu: number;
  readonly state: string;
}

/** As `bridge -j link` shows it. */
export function ports(): readonly Port[] {
  return JSON.parse(execFileSync('bridge', ['-j', 'link'], { encoding: 'utf8' })) as Port[];
}

/** The address of a link; undefined when there is none. */
export function addressOf(ifname: string): string | undefined {
  const links = JSON.parse(execFileSync('ip', ['-j', 'link'], { encoding: 'utf8' })) as {
    ifname: string;
    address: string;
  }[];
  return links.find((link) => link.ifname === ifname)?.address;
}
