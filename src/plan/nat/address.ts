/** The address that a guest of ours gets on a network, when something has to know it beforehand. */
import { createHash } from 'node:crypto';
import { contains, parseCidr } from '../../spec/cidr.ts';
import { formatIp, readIp } from '../../spec/ip.ts';
import { isProblem } from '../../spec/raw.ts';
import type { NatDhcp } from './start.ts';

/** Somebody who has an address, or is to get it. */
export interface Holder {
  readonly mac: string;
  readonly address: string;
}

/** Why a wanted address can not be had. */
export interface Refused {
  readonly why: string;
}

/**
 * The wanted one; else what the definition says, what it has, or a free one that this MAC would get again.
 * @param holders leases and reservations; this MAC's own may be among them
 */
export function guestAddress(
  mac: string,
  dhcp: NatDhcp,
  holders: readonly Holder[],
  wanted?: string,
): string | Refused {
  const fixed = dhcp.hosts.map(({ mac: of, ip }) => ({ mac: of, address: ip }));
  const others = new Map(
    [...holders, ...fixed].filter((one) => one.mac !== mac).map((one) => [one.address, one.mac]),
  );
  if (wanted !== undefined) return check(wanted, dhcp, others);
  const own = [...fixed, ...holders].find((one) => one.mac === mac && !others.has(one.address));
  return own?.address ?? free(mac, dhcp, others);
}

function check(
  wanted: string,
  { subnet, gateway }: NatDhcp,
  others: ReadonlyMap<string, string>,
): string | Refused {
  const [ip, cidr] = [readIp(wanted), parseCidr(subnet, 'subnet')];
  if (ip === undefined || isProblem(cidr) || !contains(cidr, ip)) return { why: `it is not in ${subnet}` };
  const isEdge =
    ip.value === cidr.first.value || ip.value === cidr.first.value + (1n << BigInt(32 - cidr.prefix)) - 1n;
  if (isEdge || wanted === gateway) return { why: 'it is the network’s own' };
  const holder = others.get(wanted);
  return holder === undefined ? wanted : { why: `${holder} has it` };
}

/** By a hash of the MAC, as dnsmasq does it (address_allocate() in its dhcp.c). */
function free(mac: string, { ranges }: NatDhcp, others: ReadonlyMap<string, string>): string | Refused {
  const bounds = ranges.flatMap(({ start, end }) => {
    const [first, last] = [readIp(start), readIp(end)];
    return first === undefined || last === undefined ? [] : [{ first: first.value, last: last.value }];
  });
  const size = bounds.reduce((sum, { first, last }) => sum + (last - first + 1n), 0n);
  const nth = (n: bigint): string => {
    let rest = n;
    for (const { first, last } of bounds) {
      if (rest <= last - first) return formatIp({ family: 4, value: first + rest });
      rest -= last - first + 1n;
    }
    throw new RangeError(`no address number ${n}`);
  };
  const seed = createHash('sha256').update(mac).digest().readUInt32BE();
  for (let tries = 0n; tries < size; tries += 1n) {
    const address = nth((BigInt(seed) + tries) % size);
    if (!others.has(address)) return address;
  }
  return { why: 'all addresses of its DHCP ranges are taken' };
}
