/** An "internet" behind this host's uplink: a router namespace, and a web server in another behind it. */
import { execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { settled } from './lan.ts';

/** RFC 5737's networks for examples. */
export const UPLINK = '203.0.113.2';
const WEB = '198.51.100.9';
/** RFC 3849's. */
const WEB6 = '2001:db8:9::9';

export interface Internet {
  readonly nonce: string;
  readonly url: string;
  /** By IPv6; only where that was asked for. */
  readonly url6: string;
  /** "203.0.113.2:40123", "[2001:db8::1]:40123": who has asked the web server so far. */
  readonly askedBy: readonly string[];
}

const ip = (line: string): void => void execFileSync('ip', line.split(' '));

/** The web server tells on its standard output who asks. */
const SERVER = `
  require('node:http').createServer((request, response) => {
    const from = request.socket.remoteAddress.replace('::ffff:', '');
    console.log((from.includes(':') ? '[' + from + ']' : from) + ':' + request.socket.remotePort);
    response.end(process.argv[1] + '\\n');
  }).listen(80, '::', () => console.log('ready'));
`;

interface Options {
  /** The router advertises itself on the uplink, every few seconds. */
  readonly ipv6?: boolean;
}

/** The host has one uplink, wan0, and its default route there. Nobody outside knows a way to its private networks. */
export async function internet({ ipv6 = false }: Options = {}): Promise<Internet> {
  for (const name of ['router', 'web']) ip(`netns add ${name}`);
  ip('link add wan0 type veth peer name wan1 netns router');
  ip('link add lan0 netns router type veth peer name eth0 netns web');
  ip(`address add ${UPLINK}/24 dev wan0`);
  ip('-n router address add 203.0.113.1/24 dev wan1');
  ip('-n router address add 198.51.100.1/24 dev lan0');
  ip(`-n web address add ${WEB}/24 dev eth0`);
  ip('link set dev wan0 up');
  for (const name of ['lo', 'wan1', 'lan0']) ip(`-n router link set dev ${name} up`);
  for (const name of ['lo', 'eth0']) ip(`-n web link set dev ${name} up`);
  ip('route add default via 203.0.113.1');
  ip('-n web route add default via 198.51.100.1');
  execFileSync('ip', ['netns', 'exec', 'router', 'sysctl', '-qw', 'net.ipv4.ip_forward=1']);
  await settled('wan0');
  const nonce = randomUUID();
  const askedBy: string[] = [];
  const server = spawn('ip', ['netns', 'exec', 'web', process.execPath, '-e', SERVER, nonce]);
  const lines = server.stdout.setEncoding('utf8');
  onTestFinished(async () => {
    server.kill();
    await once(server, 'exit');
    ip('link delete dev wan0');
    for (const name of ['router', 'web']) ip(`netns delete ${name}`);
  });
  await once(lines, 'data');
  if (ipv6) await advertise();
  lines.on('data', (text: string) => askedBy.push(...text.trim().split('\n')));
  return { nonce, url: `http://${WEB}/`, url6: `http://[${WEB6}]/`, askedBy };
}

/** IPv6 on the same ways: the host gets an address and its default route from the router, by a real sender of RAs. */
async function advertise(): Promise<void> {
  ip('-n router address add 2001:db8:1::1/64 dev wan1 nodad');
  ip('-n router address add 2001:db8:9::1/64 dev lan0 nodad');
  ip(`-n web address add ${WEB6}/64 dev eth0 nodad`);
  ip('-n web route add default via 2001:db8:9::1');
  execFileSync('ip', ['netns', 'exec', 'router', 'sysctl', '-qw', 'net.ipv6.conf.all.forwarding=1']);
  const sender = spawn('ip', [
    ...['netns', 'exec', 'router', 'dnsmasq', '--keep-in-foreground', '--conf-file=/dev/null', '--user=root'],
    ...['--port=0', '--pid-file=', '--interface=wan1', '--bind-dynamic', '--enable-ra'],
    // Every four seconds, for half an hour.
    ...['--dhcp-range=2001:db8:1::,ra-only', '--ra-param=wan1,4,1800'],
  ]);
  onTestFinished(async () => {
    sender.kill();
    await once(sender, 'exit');
  });
  await until(() => advertisedRoute() !== '', 'a router advertisement');
  await until(
    () => /inet6 2001:db8:1:(?!.*tentative)/.test(show('address show dev wan0')),
    'an address of it',
  );
}

const show = (line: string): string =>
  execFileSync('ip', ['-6', '-o', ...line.split(' ')], { encoding: 'utf8' });

/** The host's default route, as it was advertised; empty: there is none. */
export const advertisedRoute = (): string => show('route show default proto ra');

export async function until(isSo: () => boolean, what: string): Promise<void> {
  for (let tries = 0; !isSo(); tries += 1) {
    if (tries > 300) throw new Error(`${what} does not come`);
    await sleep(100);
  }
}
