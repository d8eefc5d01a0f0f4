/** `network/ip`: addresses of the host on the bridge, and what dnsmasq gives to guests. */
import { type Cidr, contains, formatCidr, lastAddress, overlap, parseCidr } from '../cidr.ts';
import { formatIp, type Ip, readIp } from '../ip.ts';
import { parseMac } from '../mac.ts';
import { parseWhole } from '../number.ts';
import { type Gathering, isProblem } from '../raw.ts';
import { isIPv6 } from './known.ts';
import type { Dhcp, DhcpHost, DhcpRange, NetworkIp } from './network.ts';
import { parseDomain } from './words.ts';
import { childrenNamed, type Element, placeOf } from './xml.ts';

/** An attribute that must be an IPv4 address. */
function readAddress(gathering: Gathering, element: Element, name: string): Ip | undefined {
  const at = placeOf(element, name);
  const text = element.getAttribute(name);
  if (text === null) return gathering.refuse(at, 'is missing');
  const ip = readIp(text);
  return ip?.family === 4
    ? ip
    : gathering.refuse(at, `"${text}" is not an IPv4 address`, 'write 192.168.50.1');
}

export function readIps(gathering: Gathering, root: Element): readonly NetworkIp[] {
  const elements = childrenNamed(root, 'ip').filter((element) => !isIPv6(element));
  const ips: NetworkIp[] = [];
  for (const element of elements) {
    const ip = readOne(gathering, element);
    if (ip === undefined) continue;
    const other = ips.find(({ subnet }) => overlap(subnet, ip.subnet));
    if (other !== undefined)
      gathering.refuse(
        placeOf(element),
        `${formatCidr(ip.subnet)} overlaps ${formatCidr(other.subnet)} of this network`,
      );
    if (ip.dhcp !== undefined && ips.some(({ dhcp }) => dhcp !== undefined))
      gathering.refuse(placeOf(element), 'only one IPv4 subnet of a network may have <dhcp>');
    ips.push(ip);
  }
  return ips;
}

function readOne(gathering: Gathering, element: Element): NetworkIp | undefined {
  const address = readAddress(gathering, element, 'address');
  const prefix = readPrefix(gathering, element);
  if (address === undefined || prefix === undefined) return undefined;
  const subnet = gathering.take(parseCidr(`${formatIp(address)}/${prefix}`, placeOf(element, 'address')));
  if (subnet === undefined) return undefined;
  if (address.value === subnet.first.value || address.value === lastAddress(subnet).value)
    gathering.refuse(
      placeOf(element, 'address'),
      `${formatIp(address)} is the network or broadcast address of ${formatCidr(subnet)}`,
    );
  const [dhcp] = childrenNamed(element, 'dhcp');
  return {
    address,
    subnet,
    ...(dhcp === undefined ? {} : { dhcp: readDhcp(gathering, dhcp, { address, subnet }) }),
  };
}

/** 1 to 30: a guest needs an address of its own. */
function readPrefix(gathering: Gathering, element: Element): number | undefined {
  const netmask = element.getAttribute('netmask');
  const prefix = element.getAttribute('prefix');
  if (prefix !== null && netmask !== null)
    return gathering.refuse(placeOf(element), 'netmask and prefix say the same: write one of them');
  if (prefix !== null) return gathering.take(parseWhole(prefix, placeOf(element, 'prefix'), 1, 30));
  if (netmask === null)
    return gathering.refuse(placeOf(element), 'the netmask is missing', "write netmask='255.255.255.0'");
  const bits = readIp(netmask)?.value.toString(2).padStart(32, '0') ?? '';
  const ones = /^(1+)00+$/.exec(bits)?.[1]?.length;
  return ones === undefined || bits.length !== 32
    ? gathering.refuse(placeOf(element, 'netmask'), `"${netmask}" is not a netmask`, 'write 255.255.255.0')
    : ones;
}

type Place = Pick<NetworkIp, 'address' | 'subnet'>;

function readDhcp(gathering: Gathering, element: Element, place: Place): Dhcp {
  const ranges = childrenNamed(element, 'range').flatMap((range) =>
    readRange(gathering, range, place.subnet),
  );
  const hosts: DhcpHost[] = [];
  for (const child of childrenNamed(element, 'host')) {
    const host = readHost(gathering, child, place);
    if (host === undefined) continue;
    const twice = hosts.find(({ mac, ip }) => mac === host.mac || (ip && ip.value === host.ip?.value));
    if (twice !== undefined)
      gathering.refuse(placeOf(child), `its MAC or its address is that of ${twice.mac}`);
    hosts.push(host);
  }
  return { ranges, hosts };
}

function readRange(gathering: Gathering, element: Element, subnet: Cidr): readonly DhcpRange[] {
  const range = readAddressRange(gathering, element);
  const leaseSeconds = readLease(gathering, element);
  if (range === undefined) return [];
  for (const name of ['start', 'end'] as const)
    if (!isHostOf(subnet, range[name]))
      gathering.refuse(
        placeOf(element, name),
        `${formatIp(range[name])} can not be a guest of ${formatCidr(subnet)}`,
      );
  return [{ ...range, ...(leaseSeconds === undefined ? {} : { leaseSeconds }) }];
}

export function readAddressRange(gathering: Gathering, element: Element): { start: Ip; end: Ip } | undefined {
  const start = readAddress(gathering, element, 'start');
  const end = readAddress(gathering, element, 'end');
  if (start === undefined || end === undefined) return undefined;
  if (start.value > end.value)
    return gathering.refuse(placeOf(element), `it begins at ${formatIp(start)}, after ${formatIp(end)}`);
  return { start, end };
}

const isHostOf = (subnet: Cidr, ip: Ip): boolean =>
  contains(subnet, ip) && ip.value !== subnet.first.value && ip.value !== lastAddress(subnet).value;

const UNIT_SECONDS: Readonly<Record<string, number>> = { seconds: 1, minutes: 60, hours: 3600 };

/** Minutes unless said otherwise; dnsmasq takes nothing below two minutes. */
function readLease(gathering: Gathering, range: Element): number | undefined {
  const [element] = childrenNamed(range, 'lease');
  if (element === undefined) return undefined;
  const unit = element.getAttribute('unit') ?? 'minutes';
  const factor = UNIT_SECONDS[unit];
  if (factor === undefined)
    return gathering.refuse(placeOf(element, 'unit'), `"${unit}" must be seconds, minutes or hours`);
  const expiry = parseWhole(element.getAttribute('expiry') ?? '', placeOf(element, 'expiry'), 0, 4_000_000);
  const seconds = isProblem(expiry) ? expiry : expiry * factor;
  if (typeof seconds === 'number' && seconds > 0 && seconds < 120)
    return gathering.refuse(
      placeOf(element, 'expiry'),
      'a lease lasts two minutes or longer, or 0: for ever',
    );
  return gathering.take(seconds);
}

function readHost(gathering: Gathering, element: Element, { address, subnet }: Place): DhcpHost | undefined {
  const name = element.getAttribute('name');
  const label = name === null ? undefined : gathering.take(parseDomain(name, placeOf(element, 'name')));
  const ip = element.getAttribute('ip') === null ? undefined : readAddress(gathering, element, 'ip');
  if (ip !== undefined && (!isHostOf(subnet, ip) || ip.value === address.value))
    gathering.refuse(
      placeOf(element, 'ip'),
      `${formatIp(ip)} can not be a guest of ${formatCidr(subnet)} with ${formatIp(address)}`,
    );
  const mac = element.getAttribute('mac');
  if (mac === null) return gathering.refuse(placeOf(element, 'mac'), 'is missing: it tells the guest');
  if (name === null && element.getAttribute('ip') === null)
    gathering.refuse(placeOf(element), 'gives neither an address nor a name');
  const checked = gathering.take(parseMac(mac, placeOf(element, 'mac')));
  if (checked === undefined) return undefined;
  return {
    mac: checked,
    ...(ip === undefined ? {} : { ip }),
    ...(label === undefined ? {} : { name: label }),
  };
}
