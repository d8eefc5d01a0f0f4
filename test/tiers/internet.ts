/** An "internet" behind this host's uplink: a router namespace, and a web server in another behind it. */
import { execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';
import { settled } from './lan.ts';

/** RFC 5737's networks for examples. */
export const UPLINK = '203.0.113.2';
const WEB = '198.51.100.9';

export interface Internet {
  readonly nonce: string;
  readonly url: string;
  /** "203.0.113.2:40123": who has asked the web server so far. */
  readonly askedBy: readonly string[];
}

const ip = (line: string): void => void execFileSync('ip', line.split(' '));

/** The web server tells on its standard output who asks. */
const SERVER = `
  require('node:http').createServer((request, response) => {
    console.log(request.socket.remoteAddress + ':' + request.socket.remotePort);
    response.end(process.argv[1] + '\\n');
  }).listen(80, '0.0.0.0', () => console.log('ready'));
`;

/** The host has one uplink, wan0, and its default route there. Nobody outside knows a way to its private networks. */
export async function internet(): Promise<Internet> {
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
  lines.on('data', (text: string) => askedBy.push(...text.trim().split('\n')));
  return { nonce, url: `http://${WEB}/`, askedBy };
}
