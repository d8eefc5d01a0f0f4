/** Whether a neighbour answers over a link now: ARP and neighbour discovery, done by the kernel for a packet of ours. */
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { setTimeout as sleep } from 'node:timers/promises';
import { readIp } from '../../spec/ip.ts';
import { askJson, listOf } from '../ip-json.ts';
import type { Machine } from '../port.ts';

/** Discard (RFC 863): nothing needs to answer there, only the address has to be resolved. */
const PORT = 9;
const POLL_MS = 50;

/** Asks anew: what the kernel has known about it is forgotten first. */
export async function answers(
  machine: Machine,
  address: string,
  link: string,
  timeoutMs: number,
): Promise<boolean> {
  // An entry that somebody set is not ours to forget, and needs no answer.
  if ((await statesOf(machine, address, link)).includes('PERMANENT')) return true;
  await machine.run(['ip', 'neigh', 'del', address, 'dev', link], { timeoutMs: 5_000 });
  const end = performance.now() + timeoutMs;
  for (let sent = 0; performance.now() < end; sent += 1) {
    // A refusal of the kernel (no route yet) is one more reason to ask again.
    if (sent % 10 === 0) await poke(address.startsWith('fe80:') ? `${address}%${link}` : address);
    if ((await statesOf(machine, address, link)).includes('REACHABLE')) return true;
    await sleep(POLL_MS);
  }
  return false;
}

async function statesOf(machine: Machine, address: string, link: string): Promise<readonly unknown[]> {
  const rows = await askJson(machine, ['ip', '-j', 'neigh', 'show', address, 'dev', link]);
  return rows.flatMap((row) => listOf(row['state']));
}

function poke(address: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    const done = (): void => {
      socket.close();
      resolve();
    };
    socket.on('error', done);
    socket.send('', PORT, address, done);
  });
}

/** The link that a packet to there leaves by; undefined: there is no way. */
export async function linkTo(machine: Machine, address: string): Promise<string | undefined> {
  const result = await machine.run(['ip', '-j', 'route', 'get', address], { timeoutMs: 5_000 });
  if (result.status !== 0) return undefined;
  const [row] = JSON.parse(result.stdout) as { dev?: string }[];
  return row?.dev;
}

const DNS_PORT = 53;
/** Header with recursion wanted and one question, then the root's name servers (RFC 1035, 4.1). */
const QUESTION = [1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1];

/** Whether a name server says anything at all: a refusal is an answer. */
export async function answersDns(server: string, timeoutMs: number): Promise<boolean> {
  const id = randomBytes(2);
  const socket = createSocket(server.includes(':') ? 'udp6' : 'udp4');
  const answered = new Promise<boolean>((resolve) => {
    socket.on('error', () => resolve(false));
    socket.on('message', (text) => text.subarray(0, 2).equals(id) && resolve(true));
  });
  const ask = (): void =>
    void socket.send(Buffer.concat([id, Buffer.from(QUESTION)]), DNS_PORT, server, () => undefined);
  ask();
  const again = setInterval(ask, 1_000);
  try {
    return await Promise.race([answered, sleep(timeoutMs, false)]);
  } finally {
    clearInterval(again);
    socket.close();
  }
}

/** Of /etc/resolv.conf, without those on this host itself (resolv.conf(5)). */
export async function nameServers(machine: Machine): Promise<readonly string[]> {
  const text = (await machine.read('/etc/resolv.conf')) ?? '';
  const all = [...text.matchAll(/^nameserver\s+(\S+)/gm)].map(([, server = '']) => server);
  return all.filter((server) => readIp(server) !== undefined && !/^(127\.|::1$)/.test(server));
}
