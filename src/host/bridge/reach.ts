/** Whether a neighbour answers over a link now: ARP and neighbour discovery, done by the kernel for a packet of ours. */
import { createSocket } from 'node:dgram';
import { setTimeout as sleep } from 'node:timers/promises';
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
