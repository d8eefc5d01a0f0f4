import { parseIPv4 } from './ip.ts';
import { parseWhole } from './number.ts';
import { Gathering, type Problem } from './raw.ts';

/** `fwd=[tcp|udp:][ADDR:]HOST:[GUESTADDR:]GUEST`. Ports 1–65535; hostPort 0 lets the kernel choose. */
export interface Forward {
  readonly proto: 'tcp' | 'udp';
  /** IPv4 literal on the host; 127.0.0.1 unless given. */
  readonly address: string;
  readonly hostPort: number;
  /** IPv4 literal of the guest; undefined: the first lease of the network. */
  readonly guestAddress?: string;
  readonly guestPort: number;
}

const HINT = 'write [tcp|udp:][ADDR:]HOST:GUEST, as in 2222:22';

export function parseForward(text: string, at: string): Forward | Problem {
  const match = /^(?:(tcp|udp):)?(?:([^:]*[^:0-9][^:]*):)?([0-9]+):(?:([^:]*[^:0-9][^:]*):)?([0-9]+)$/.exec(
    text,
  );
  if (!match) return { at, what: `"${text}" is not a forward`, hint: HINT };
  const [, proto = 'tcp', address = '127.0.0.1', host = '', guestAddress, guest = ''] = match;
  const gathering = new Gathering();
  gathering.take(parseIPv4(address, at));
  if (guestAddress !== undefined) gathering.take(parseIPv4(guestAddress, at));
  const hostPort = gathering.take(parseWhole(host, at, 0, 65535));
  const guestPort = gathering.take(parseWhole(guest, at, 1, 65535));
  const [problem] = gathering.problems;
  if (problem) return { at, what: `"${text}": ${problem.what}`, hint: HINT };
  if (hostPort === undefined || guestPort === undefined) throw new TypeError('a port without a problem');
  const known = { proto: proto as Forward['proto'], address, hostPort, guestPort };
  return guestAddress === undefined ? known : { ...known, guestAddress };
}

/** Both would listen on the same port of the same address. */
export function clash(a: Forward, b: Forward): boolean {
  const any = '0.0.0.0';
  return (
    a.hostPort !== 0 &&
    a.proto === b.proto &&
    a.hostPort === b.hostPort &&
    (a.address === b.address || a.address === any || b.address === any)
  );
}
