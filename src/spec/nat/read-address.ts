/** Attributes that are addresses. */
import { type Cidr, contains, lastAddress } from '../cidr.ts';
import { formatIp, type Ip, readIp } from '../ip.ts';
import type { Gathering } from '../raw.ts';
import { type Element, placeOf } from './xml.ts';

export type Family = Ip['family'];

/** An attribute that must be an address, of that family if one is given. */
export function readAddress(
  gathering: Gathering,
  element: Element,
  name: string,
  family?: Family,
): Ip | undefined {
  const at = placeOf(element, name);
  const text = element.getAttribute(name);
  if (text === null) return gathering.refuse(at, 'is missing');
  const ip = readIp(text);
  if (ip !== undefined && (family ?? ip.family) === ip.family) return ip;
  const kind = family === undefined ? 'IP' : `IPv${family}`;
  return gathering.refuse(
    at,
    `"${text}" is not an ${kind} address`,
    `write ${family === 6 ? 'fd12:3456:789a::1' : '192.168.50.1'}`,
  );
}

/** First and last of IPv4; of IPv6 the first, which any router answers to (RFC 4291, 2.6.1). */
export const isReserved = (subnet: Cidr, ip: Ip): boolean =>
  ip.value === subnet.first.value || (ip.family === 4 && ip.value === lastAddress(subnet).value);

export const isHostOf = (subnet: Cidr, ip: Ip): boolean => contains(subnet, ip) && !isReserved(subnet, ip);

export function readAddressRange(
  gathering: Gathering,
  element: Element,
  family?: Family,
): { start: Ip; end: Ip } | undefined {
  const start = readAddress(gathering, element, 'start', family);
  const end = readAddress(gathering, element, 'end', family ?? start?.family);
  if (start === undefined || end === undefined) return undefined;
  if (start.value > end.value)
    return gathering.refuse(placeOf(element), `it begins at ${formatIp(start)}, after ${formatIp(end)}`);
  return { start, end };
}
