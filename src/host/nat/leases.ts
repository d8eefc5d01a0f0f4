/** What dnsmasq has given out: its lease file. */
import { readText } from '../vm/store.ts';

export interface Lease {
  readonly address: string;
  readonly mac: string;
  /** As the guest calls itself. */
  readonly name?: string;
  /** ISO 8601; undefined: for ever. */
  readonly expires?: string;
}

/** Those that are valid now. */
export const readLeaseFile = (path: string): readonly Lease[] =>
  parseLeases(readText(path) ?? '', Date.now());

/** One per line: expiry in Unix seconds (0: never), MAC, address, name or "*", client id. IPv4 only. */
function parseLeases(text: string, nowMs: number): readonly Lease[] {
  return text.split('\n').flatMap((line) => {
    const [expiry, mac, address, name] = line.split(' ');
    if (mac === undefined || address === undefined || !/^[0-9]+$/.test(expiry ?? '')) return [];
    if (!/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(mac)) return [];
    const untilMs = Number(expiry) * 1000;
    if (untilMs !== 0 && untilMs < nowMs) return [];
    return [
      {
        address,
        mac: mac.toLowerCase(),
        ...(name === undefined || name === '*' ? {} : { name }),
        ...(untilMs === 0 ? {} : { expires: new Date(untilMs).toISOString() }),
      },
    ];
  });
}
