/** `network/route`: ways to others behind a guest. */
import { contains, formatCidr, overlap, parseCidr } from '../cidr.ts';
import { formatIp } from '../ip.ts';
import { parseWhole } from '../number.ts';
import type { Gathering } from '../raw.ts';
import type { NetworkIp, StaticRoute } from './network.ts';
import { readAddress } from './read-address.ts';
import { readFamily, readMask } from './read-ip.ts';
import { childrenNamed, type Element, placeOf } from './xml.ts';

export function readRoutes(
  gathering: Gathering,
  root: Element,
  ips: readonly NetworkIp[],
): readonly StaticRoute[] {
  return childrenNamed(root, 'route').flatMap((element) => readRoute(gathering, element, ips) ?? []);
}

function readRoute(
  gathering: Gathering,
  element: Element,
  ips: readonly NetworkIp[],
): StaticRoute | undefined {
  const family = readFamily(gathering, element);
  const address = readAddress(gathering, element, 'address', family);
  const via = readAddress(gathering, element, 'gateway', family);
  const prefix = readPrefix(gathering, element, family);
  const text = element.getAttribute('metric');
  const metric =
    text === null
      ? undefined
      : gathering.take(parseWhole(text, placeOf(element, 'metric'), 1, 4_294_967_295));
  if (address === undefined || via === undefined || prefix === undefined) return undefined;
  const to = gathering.take(parseCidr(`${formatIp(address)}/${prefix}`, placeOf(element, 'address')));
  if (to === undefined) return undefined;
  if (!ips.some(({ subnet, address: own }) => contains(subnet, via) && own.value !== via.value))
    return gathering.refuse(
      placeOf(element, 'gateway'),
      `${formatIp(via)} is no guest of a subnet of this network`,
    );
  const own = ips.find(({ subnet }) => overlap(subnet, to));
  if (own !== undefined)
    return gathering.refuse(
      placeOf(element, 'address'),
      `${formatCidr(to)} overlaps ${formatCidr(own.subnet)} of this network`,
    );
  return { to, via, ...(metric === undefined ? {} : { metric }) };
}

/** One address unless said otherwise. 0: a default route, which is the host's own affair. */
function readPrefix(gathering: Gathering, element: Element, family: 4 | 6): number | undefined {
  const [netmask, prefix] = [element.getAttribute('netmask'), element.getAttribute('prefix')];
  const all = family === 4 ? 32 : 128;
  if (prefix !== null) return gathering.take(parseWhole(prefix, placeOf(element, 'prefix'), 1, all));
  return netmask === null ? all : readMask(gathering, element, netmask, family);
}
