/** `network/ip`: addresses of the host on the bridge, and what dnsmasq gives to guests. */
import { type Cidr, formatCidr, overlap, parseCidr } from '../cidr.ts';
import { formatIp, readIp } from '../ip.ts';
import { parseSwitch, parseWhole } from '../number.ts';
import type { Gathering } from '../raw.ts';
import type { NetworkIp } from './network.ts';
import { type Family, isReserved, readAddress } from './read-address.ts';
import { readDhcp } from './read-dhcp.ts';
import { parseServedPath } from './words.ts';
import { childrenNamed, type Element, placeOf } from './xml.ts';

export function readIps(gathering: Gathering, root: Element): readonly NetworkIp[] {
  const ips: NetworkIp[] = [];
  for (const element of childrenNamed(root, 'ip')) {
    const ip = readOne(gathering, element);
    if (ip === undefined) continue;
    const { family } = ip.address;
    const other = ips.find(({ subnet }) => overlap(subnet, ip.subnet));
    if (other !== undefined)
      gathering.refuse(
        placeOf(element),
        `${formatCidr(ip.subnet)} overlaps ${formatCidr(other.subnet)} of this network`,
      );
    if (ip.dhcp !== undefined && ips.some(({ dhcp, address }) => dhcp && address.family === family))
      gathering.refuse(placeOf(element), `only one IPv${family} subnet of a network may have <dhcp>`);
    ips.push(ip);
  }
  return ips;
}

function readOne(gathering: Gathering, element: Element): NetworkIp | undefined {
  const family = readFamily(gathering, element);
  const address = readAddress(gathering, element, 'address', family);
  const [dhcp] = childrenNamed(element, 'dhcp');
  const prefix = readPrefix(gathering, element, family, dhcp !== undefined);
  if (address === undefined || prefix === undefined) return undefined;
  const subnet = gathering.take(parseCidr(`${formatIp(address)}/${prefix}`, placeOf(element, 'address')));
  if (subnet === undefined) return undefined;
  if (isReserved(subnet, address))
    gathering.refuse(
      placeOf(element, 'address'),
      `${formatIp(address)} is the ${family === 4 ? 'network or broadcast' : 'anycast'} address of ${formatCidr(subnet)}`,
    );
  const localPtr = readLocalPtr(gathering, element, subnet);
  const [tftp] = childrenNamed(element, 'tftp');
  const root = tftp?.getAttribute('root') ?? null;
  const served =
    tftp === undefined || root === null
      ? undefined
      : gathering.take(parseServedPath(root, placeOf(tftp, 'root')));
  return {
    address,
    subnet,
    ...(dhcp === undefined ? {} : { dhcp: readDhcp(gathering, dhcp, { address, subnet }) }),
    ...(localPtr ? { localPtr } : {}),
    ...(served === undefined ? {} : { tftp: served }),
  };
}

/** Names of addresses have a zone per byte of IPv4, per four bits of IPv6. */
function readLocalPtr(gathering: Gathering, element: Element, { first, prefix }: Cidr): boolean {
  const text = element.getAttribute('localPtr');
  const at = placeOf(element, 'localPtr');
  if (text === null || gathering.take(parseSwitch(text, at)) !== true) return false;
  if (prefix % (first.family === 4 ? 8 : 4) === 0) return true;
  gathering.refuse(at, `there is no zone of names for a /${prefix}`, 'write prefix 8, 16 or 24');
  return false;
}

/** IPv4 unless the address looks otherwise, so that a mistake in it is told as one. */
export function readFamily(gathering: Gathering, element: Element): Family {
  const text = element.getAttribute('family');
  const guess = element.getAttribute('address')?.includes(':') === true ? 6 : 4;
  if (text === null) return guess;
  if (text !== 'ipv4' && text !== 'ipv6') {
    gathering.refuse(placeOf(element, 'family'), `"${text}" must be ipv4 or ipv6`);
    return guess;
  }
  return text === 'ipv6' ? 6 : 4;
}

/** Bits of an IPv6 subnet in which guests can make addresses of their own (RFC 4862, 5.5.3; RFC 4291, 2.5.1). */
const SLAAC_PREFIX = 64;

/** IPv4 up to 30, IPv6 up to 126: a guest needs an address of its own. */
function readPrefix(
  gathering: Gathering,
  element: Element,
  family: Family,
  hasDhcp: boolean,
): number | undefined {
  const netmask = element.getAttribute('netmask');
  const prefix = element.getAttribute('prefix');
  if (prefix !== null && netmask !== null)
    return gathering.refuse(placeOf(element), 'netmask and prefix say the same: write one of them');
  if (family === 6 && prefix === null && netmask === null) return SLAAC_PREFIX;
  if (prefix !== null) {
    const at = placeOf(element, 'prefix');
    if (family === 4) return gathering.take(parseWhole(prefix, at, 1, 30));
    const bits = gathering.take(parseWhole(prefix, at, 1, 126));
    if (bits === undefined || bits === SLAAC_PREFIX || (hasDhcp && bits > SLAAC_PREFIX)) return bits;
    return gathering.refuse(at, `guests find no address in a /${bits}`, "write prefix='64'");
  }
  if (netmask === null)
    return gathering.refuse(placeOf(element), 'the netmask is missing', "write netmask='255.255.255.0'");
  return readMask(gathering, element, netmask, family);
}

/** "255.255.255.0" → 24 */
export function readMask(
  gathering: Gathering,
  element: Element,
  netmask: string,
  family: Family,
): number | undefined {
  const at = placeOf(element, 'netmask');
  if (family === 6) return gathering.refuse(at, 'IPv6 has a prefix instead', "write prefix='64'");
  const ip = readIp(netmask);
  const bits = ip?.family === 4 ? ip.value.toString(2).padStart(32, '0') : '';
  const ones = /^(1+)00+$/.exec(bits)?.[1]?.length;
  return ones === undefined || bits.length !== 32
    ? gathering.refuse(at, `"${netmask}" is not a netmask`, 'write 255.255.255.0')
    : ones;
}
