/** Ports that QEMU is going to listen on: can they be had? Asked of the kernel by binding each for a moment. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Finding } from '../finding.ts';

export interface PortWish {
  readonly proto: 'tcp' | 'udp';
  /** IPv4 or IPv6 literal. */
  readonly address: string;
  /** 0 is chosen by the kernel, and never in the way. */
  readonly port: number;
  /** What the user wrote it in, e.g. `--net user,fwd=2222:22` or `--vnc :1`. */
  readonly at: string;
}

/** @param uid of the user QEMU runs as: root may bind what that user may not */
export async function checkPorts(wishes: readonly PortWish[], uid: number): Promise<Finding[]> {
  const real = wishes.filter(({ port }) => port !== 0);
  const found = await Promise.all(real.map((wish) => checkPort(wish, uid)));
  return [...twice(real), ...found.filter((finding) => finding !== undefined)];
}

async function checkPort(wish: PortWish, uid: number): Promise<Finding | undefined> {
  const start = unprivilegedStart();
  if (uid !== 0 && wish.port < start) return privileged(wish, start);
  const code = await bindOnce(wish);
  return code === undefined ? undefined : explainBind(wish, code);
}

/** ip(7), ip_unprivileged_port_start. A file of 2001 kernels on: 1024 where it is missing. */
function unprivilegedStart(): number {
  try {
    return Number(readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8'));
  } catch {
    return 1024;
  }
}

/** The errno's name when the port cannot be had. */
async function bindOnce({ proto, address, port }: PortWish): Promise<string | undefined> {
  if (proto === 'udp') return bindUdp(address, port);
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ host: address, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

async function bindUdp(address: string, port: number): Promise<string | undefined> {
  // Few guests forward UDP, and every start would pay for loading it.
  const { createSocket } = await import('node:dgram');
  return new Promise((resolve) => {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    socket.bind({ address, port, exclusive: true }, () => socket.close(() => resolve(undefined)));
  });
}

function explainBind(wish: PortWish, code: string): Finding {
  const { proto, address, port, at } = wish;
  const place = `${proto} port ${port} on ${address}`;
  if (code === 'EADDRINUSE')
    return {
      code: 'QL_PORT_IN_USE',
      what: `${place} is in use`,
      why: [`${at} wants it`],
      todo: [`ss -Hlnp${proto === 'tcp' ? 't' : 'u'} 'sport = :${port}'   # shows who has it`],
    };
  if (code === 'EADDRNOTAVAIL')
    return {
      code: 'QL_PORT_ADDRESS',
      what: `no interface of this host has the address ${address}`,
      why: [`${at} wants to listen on it`],
      todo: ['ip -br address'],
    };
  if (code === 'EACCES') return privileged(wish, unprivilegedStart());
  return { code: 'QL_PORT', what: `cannot listen on ${place}`, why: [`${at}: ${code}`] };
}

function privileged({ port, at }: PortWish, start: number): Finding {
  return {
    code: 'QL_PORT_PRIVILEGED',
    what: `port ${port} is for root only`,
    why: [`${at} wants it, and on this host ports below ${start} are (ip_unprivileged_port_start)`],
    todo: [
      `take a port from ${start} on, for example ${port + 8000}`,
      `sudo sysctl -w net.ipv4.ip_unprivileged_port_start=${port}`,
    ],
  };
}

/** QEMU would take the first and fail on the second, naming neither. */
function twice(wishes: readonly PortWish[]): Finding[] {
  const first = new Map<string, PortWish>();
  const found: Finding[] = [];
  for (const wish of wishes) {
    const key = `${wish.proto} ${wish.address} ${wish.port}`;
    const other = first.get(key);
    if (!other) first.set(key, wish);
    else
      found.push({
        code: 'QL_PORT_TWICE',
        what: `${wish.proto} port ${wish.port} on ${wish.address} is asked for twice`,
        why: [`by ${other.at} and by ${wish.at}`],
      });
  }
  return found;
}
