/** What runs in the namespace: asks the gateway for an address and for a name, as a guest would, and takes nothing. */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProbeAnswer, ProbeOrder } from '../../plan/nat/probe.ts';

const POLL_MS = 20;
const LINK_MS = 10_000;
/** Asked again: a port may listen for a while before it forwards (STP). */
const AGAIN_MS = 300;

const ip = (...words: readonly string[]): boolean => spawnSync('ip', words, { stdio: 'ignore' }).status === 0;

export async function probeInside(order: ProbeOrder): Promise<ProbeAnswer> {
  const { link, gateway, address, dhcp, timeoutMs } = order;
  for (let waited = 0; !ip('link', 'set', 'dev', link, 'up'); waited += POLL_MS) {
    if (waited > LINK_MS) throw new Error(`${link} did not come`);
    await sleep(POLL_MS);
  }
  ip('route', 'add', '255.255.255.255', 'dev', link);
  const answer: { dhcp?: boolean; dns?: boolean } = {};
  if (dhcp) answer.dhcp = await ask(68, dhcpQuestion(), 67, '255.255.255.255', timeoutMs);
  if (address !== undefined) {
    ip('address', 'add', address, 'dev', link);
    answer.dns = await ask(0, dnsQuestion(), 53, gateway, timeoutMs);
  }
  return answer;
}

interface Question {
  readonly packet: Buffer;
  /** Where its number is. */
  readonly id: Buffer;
  readonly at: number;
}

async function ask(
  from: number,
  { packet, id, at }: Question,
  port: number,
  to: string,
  timeoutMs: number,
): Promise<boolean> {
  const socket: Socket = createSocket('udp4');
  try {
    return await new Promise<boolean>((resolve) => {
      const send = (): void => socket.send(packet, port, to, () => undefined);
      const again = setInterval(send, AGAIN_MS);
      const late = setTimeout(() => done(false), timeoutMs);
      const done = (heard: boolean): void => {
        clearInterval(again);
        clearTimeout(late);
        resolve(heard);
      };
      socket.on('message', (message) => {
        if (message.subarray(at, at + id.length).equals(id)) done(true);
      });
      // A port that nobody has is told by the next send: asked again all the same.
      socket.on('error', () => undefined);
      socket.bind(from, '0.0.0.0', () => {
        socket.setBroadcast(true);
        send();
      });
    });
  } finally {
    socket.close();
  }
}

/**
 * DHCPREQUEST (RFC 2131, 4.3.2, INIT-REBOOT) for an address of another network: an authoritative server refuses it at
 * once, by broadcast. Nobody's lease is touched, and nothing is looked for on the network, as for a DHCPDISCOVER.
 */
function dhcpQuestion(): Question {
  const id = randomBytes(4);
  const packet = Buffer.alloc(240);
  packet.set([1, 1, 6, 0]);
  packet.set(id, 4);
  // The answer by broadcast.
  packet.writeUInt16BE(0x8000, 10);
  // A locally administered address; the server answers to all.
  packet.set([0x02, 0x71, 0x6c, ...randomBytes(3)], 28);
  packet.set([99, 130, 83, 99], 236);
  const options = [53, 1, 3, 50, 4, 192, 0, 2, 1, 255];
  return { packet: Buffer.concat([packet, Buffer.from(options)]), id, at: 4 };
}

/** version.bind TXT CH: every server answers for itself, if only to refuse (RFC 4892). */
function dnsQuestion(): Question {
  const id = randomBytes(2);
  const name = Buffer.from('\u0007version\u0004bind\u0000', 'latin1');
  const head = Buffer.from([...id, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
  return { packet: Buffer.concat([head, name, Buffer.from([0, 16, 0, 3])]), id, at: 0 };
}
