/** What dnsmasq has given out: its lease file. */
import { readText } from '../vm/store.ts';

export interface Lease {
  readonly address: string;
  /** Of IPv6 only where the guest's DUID is made of it. */
  readonly mac?: string;
  /** As the guest calls itself. */
  readonly name?: string;
  /** ISO 8601; undefined: for ever. */
  readonly expires?: string;
}

/** Those that are valid now. */
export const readLeaseFile = (path: string): readonly Lease[] =>
  parseLeases(readText(path) ?? '', Date.now());

/**
 * One per line: expiry in Unix seconds (0: never), MAC, address, name or "*", client id. Those of IPv6 have the number
 * of the interface (IAID, behind a T for a temporary address) instead of the MAC, and the DUID as client id.
 */
function parseLeases(text: string, nowMs: number): readonly Lease[] {
  return text.split('\n').flatMap((line) => {
    const [expiry, who, address, name, id] = line.split(' ');
    if (who === undefined || address === undefined || !/^[0-9]+$/.test(expiry ?? '')) return [];
    const mac = address.includes(':') ? macOfDuid(id ?? '') : who;
    if (!address.includes(':') && !MAC.test(who)) return [];
    const untilMs = Number(expiry) * 1000;
    if (untilMs !== 0 && untilMs < nowMs) return [];
    return [
      {
        address,
        ...(mac === undefined ? {} : { mac: mac.toLowerCase() }),
        ...(name === undefined || name === '*' ? {} : { name }),
        ...(untilMs === 0 ? {} : { expires: new Date(untilMs).toISOString() }),
      },
    ];
  });
}

const MAC = /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i;

/** Of its kinds 1 (after four bytes of time) and 3, for Ethernet (RFC 8415, 11.2 and 11.4). */
const macOfDuid = (duid: string): string | undefined =>
  /^(?:00:01:00:01(?::[0-9a-f]{2}){4}|00:03:00:01)((?::[0-9a-f]{2}){6})$/i.exec(duid)?.[1]?.slice(1);
