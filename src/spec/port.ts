/** What a guest's port of a bridge may do. */
import { readIp } from './ip.ts';
import { parseWhole } from './number.ts';
import { isProblem, type Problem } from './raw.ts';

export interface PortSpec {
  /** It reaches only ports that are not isolated (bridge(8)). */
  readonly isolated?: boolean;
  /** Its own VLAN: untagged on the guest's side. 1–4094 */
  readonly vlan?: number;
  /** VLANs that the guest gets with their tags. */
  readonly trunk?: readonly VlanRange[];
  readonly rate?: PortRate;
  /** Frames with another source are dropped; addresses that it may have, none: whatever it says it has. */
  readonly antispoof?: readonly string[];
}

export interface VlanRange {
  readonly from: number;
  readonly to: number;
}

/** Bits per second; undefined: as much as it can. */
export interface PortRate {
  readonly toGuest?: number;
  readonly fromGuest?: number;
}

/** IEEE 802.1Q: 0 and 4095 are reserved. */
const VLAN_MAX = 4094;

export const parseVlan = (text: string, at: string): number | Problem => parseWhole(text, at, 1, VLAN_MAX);

/** `1+10-20`; with doubled commas, as QEMU's own lists, `1,,10-20`. */
export function parseTrunk(text: string, at: string): readonly VlanRange[] | Problem {
  const ranges: VlanRange[] = [];
  for (const piece of text.split(/[+,]/)) {
    const [first = '', last = first, ...more] = piece.split('-');
    const [from, to] = [parseVlan(first, at), parseVlan(last, at)];
    if (isProblem(from) || isProblem(to) || more.length > 0 || from > to)
      return { at, what: `"${piece}" is neither a VLAN nor a range of them`, hint: 'write 1+10-20' };
    ranges.push({ from, to });
  }
  return ranges;
}

const UNITS: Readonly<Record<string, number>> = { bit: 1, kbit: 1e3, mbit: 1e6, gbit: 1e9 };
/** Below it a single frame would take a second; above it tc(8) counts in 64 bits that not every kernel has. */
const [RATE_MIN, RATE_MAX] = [8e3, 32e9];

/** `100mbit` for both directions, `100mbit/50mbit` to and from the guest. Units as tc(8) has them. */
export function parseRate(text: string, at: string): PortRate | Problem {
  const bits = text.split('/').map((piece) => {
    const [, number = '', unit = ''] = /^(\d{1,9}(?:\.\d{1,6})?)(k|m|g)?bit$/i.exec(piece) ?? [];
    return number === '' ? Number.NaN : Math.round(Number(number) * (UNITS[`${unit.toLowerCase()}bit`] ?? 1));
  });
  const [toGuest = Number.NaN, fromGuest = toGuest] = bits;
  const isGood = (rate: number): boolean => rate >= RATE_MIN && rate <= RATE_MAX;
  if (bits.length <= 2 && isGood(toGuest) && isGood(fromGuest)) return { toGuest, fromGuest };
  return {
    at,
    what: `"${text}" is not a rate from 8kbit to 32gbit`,
    hint: 'write 100mbit or 100mbit/50mbit',
  };
}

/** `on`, or the addresses that the guest may have: `192.0.2.5+2001:db8::5`. */
export function parseAntispoof(text: string, at: string): readonly string[] | undefined | Problem {
  if (text === '' || text === 'on') return [];
  if (text === 'off') return undefined;
  const addresses = text.split(/[+,]/);
  const wrong = addresses.find((address) => readIp(address) === undefined);
  if (wrong === undefined) return addresses;
  return { at, what: `"${wrong}" is not an IP address`, hint: 'write on, or 192.0.2.5+2001:db8::5' };
}
