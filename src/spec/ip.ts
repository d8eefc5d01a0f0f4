/** IPv4 and IPv6 addresses as numbers. Text is RFC 5952's for IPv6 and four plain decimals for IPv4. */
import type { Problem } from './raw.ts';

export interface Ip {
  readonly family: 4 | 6;
  /** 32 or 128 bits, most significant first. */
  readonly value: bigint;
}

/** undefined: not an address. Leading zeros (`010.0.0.1`, octal to some), zones and brackets are refused. */
export function readIp(text: string): Ip | undefined {
  const value = text.includes(':') ? readV6(text) : readV4(text);
  return value === undefined ? undefined : { family: text.includes(':') ? 6 : 4, value };
}

function readV4(text: string): bigint | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9][0-9]{0,2})$/.test(part) && Number(part) < 256))
    return undefined;
  return parts.reduce((sum, part) => sum * 256n + BigInt(part), 0n);
}

function readV6(text: string): bigint | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const groups = halves.map((half, i) => (half === '' ? [] : readGroups(half, i === halves.length - 1)));
  const [head, tail = []] = groups;
  if (head === undefined || groups.includes(undefined)) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  return [...head, ...Array<bigint>(missing).fill(0n), ...tail].reduce(
    (sum, group) => sum * 65536n + group,
    0n,
  );
}

/** `fd00:1:192.0.2.1` → four groups of 16 bits; the dotted part may only end the address. */
function readGroups(half: string, ends: boolean): bigint[] | undefined {
  const words = half.split(':');
  const last = words.at(-1) ?? '';
  const v4 = ends && last.includes('.') ? readV4(last) : undefined;
  if (last.includes('.') && v4 === undefined) return undefined;
  const hex = v4 === undefined ? words : words.slice(0, -1);
  if (!hex.every((word) => /^[0-9a-f]{1,4}$/i.test(word))) return undefined;
  const groups = hex.map((word) => BigInt(`0x${word}`));
  return v4 === undefined ? groups : [...groups, v4 >> 16n, v4 & 0xffffn];
}

export function formatIp({ family, value }: Ip): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join('.');
  const groups = Array.from({ length: 8 }, (_, i) => Number((value >> BigInt(112 - 16 * i)) & 0xffffn));
  const { start, length } = longestZeros(groups);
  const hex = groups.map((group) => group.toString(16));
  if (length < 2) return hex.join(':');
  return `${hex.slice(0, start).join(':')}::${hex.slice(start + length).join(':')}`;
}

/** The first of the longest runs of zero groups (RFC 5952, 4.2). */
function longestZeros(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < groups.length; start++) {
    let end = start;
    while (groups[end] === 0) end++;
    if (end - start > best.length) best = { start, length: end - start };
  }
  return best;
}

export function parseIPv4(text: string, at: string): string | Problem {
  const ip = readIp(text);
  if (ip?.family === 4) return text;
  return { at, what: `"${text}" is not an IPv4 address`, hint: 'write 192.168.1.10' };
}

/** Without brackets; the result is RFC 5952's spelling. */
export function parseIPv6(text: string, at: string): string | Problem {
  const ip = readIp(text);
  if (ip?.family === 6) return formatIp(ip);
  return { at, what: `"${text}" is not an IPv6 address`, hint: 'write fd00::10' };
}

/** In front of `:PORT` (RFC 3986, 3.2.2). */
export function bracketed(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}
