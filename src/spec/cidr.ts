import { formatIp, type Ip, readIp } from './ip.ts';
import type { Problem } from './raw.ts';

/** A network; `first` is its lowest address: 192.168.1.0 of 192.168.1.0/24. */
export interface Cidr {
  readonly first: Ip;
  readonly prefix: number;
}

const bits = (family: 4 | 6): number => (family === 4 ? 32 : 128);
const span = (cidr: Cidr): bigint => 1n << BigInt(bits(cidr.first.family) - cidr.prefix);

/** ADDRESS/PREFIX; host bits are cut off. */
export function parseCidr(text: string, at: string): Cidr | Problem {
  const slash = text.lastIndexOf('/');
  const ip = readIp(text.slice(0, Math.max(0, slash)));
  const prefix = /^[0-9]{1,3}$/.test(text.slice(slash + 1)) ? Number(text.slice(slash + 1)) : 999;
  if (ip === undefined || prefix > bits(ip.family))
    return { at, what: `"${text}" is not a network`, hint: 'write 192.168.50.0/24' };
  const size = span({ first: ip, prefix });
  return { first: { family: ip.family, value: ip.value - (ip.value % size) }, prefix };
}

export function formatCidr({ first, prefix }: Cidr): string {
  return `${formatIp(first)}/${prefix}`;
}

/** The n-th address: 0 is the network itself. */
export function nthAddress(cidr: Cidr, n: bigint): Ip | undefined {
  if (n < 0n || n >= span(cidr)) return undefined;
  return { family: cidr.first.family, value: cidr.first.value + n };
}

export function lastAddress(cidr: Cidr): Ip {
  return { family: cidr.first.family, value: cidr.first.value + span(cidr) - 1n };
}

export function contains(cidr: Cidr, ip: Ip): boolean {
  return (
    ip.family === cidr.first.family && ip.value >= cidr.first.value && ip.value <= lastAddress(cidr).value
  );
}

export function overlap(a: Cidr, b: Cidr): boolean {
  return contains(a, b.first) || contains(b, a.first);
}
