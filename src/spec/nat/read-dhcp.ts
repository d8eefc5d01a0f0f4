/** `network/ip/dhcp`: ranges and single guests. */
import { formatCidr } from '../cidr.ts';
import { formatIp } from '../ip.ts';
import { parseMac } from '../mac.ts';
import { parseWhole } from '../number.ts';
import { type Gathering, isProblem } from '../raw.ts';
import type { Dhcp, DhcpHost, DhcpRange, NetworkIp } from './network.ts';
import { isHostOf, readAddress, readAddressRange } from './read-address.ts';
import { parseBootFile, parseDomain, parseDuid } from './words.ts';
import { childrenNamed, type Element, placeOf } from './xml.ts';

type Place = Pick<NetworkIp, 'address' | 'subnet'>;

export function readDhcp(gathering: Gathering, element: Element, place: Place): Dhcp {
  const ranges = childrenNamed(element, 'range').flatMap((range) => readRange(gathering, range, place));
  const hosts: DhcpHost[] = [];
  for (const child of childrenNamed(element, 'host')) {
    const host = readHost(gathering, child, place);
    if (host === undefined) continue;
    const twice = hosts.find((one) => isSame(one, host));
    if (twice !== undefined)
      gathering.refuse(placeOf(child), `its MAC or its address is that of ${callOf(twice)}`);
    hosts.push(host);
  }
  const [bootp] = childrenNamed(element, 'bootp');
  const boot = bootp === undefined ? undefined : readBootp(gathering, bootp);
  return { ranges, hosts, ...(boot === undefined ? {} : { bootp: boot }) };
}

function readBootp(gathering: Gathering, element: Element): Dhcp['bootp'] {
  const [file, server] = [element.getAttribute('file'), element.getAttribute('server')];
  if (file === null) return gathering.refuse(placeOf(element, 'file'), 'is missing');
  const path = gathering.take(parseBootFile(file, placeOf(element, 'file')));
  const from = server === null ? undefined : gathering.take(parseDomain(server, placeOf(element, 'server')));
  return path === undefined ? undefined : { file: path, ...(from === undefined ? {} : { server: from }) };
}

const isSame = (a: DhcpHost, b: DhcpHost): boolean =>
  (a.mac !== undefined && a.mac === b.mac) ||
  (a.duid !== undefined && a.duid === b.duid) ||
  (a.ip !== undefined && a.ip.value === b.ip?.value);

const callOf = ({ mac, duid, name }: DhcpHost): string => mac ?? duid ?? name ?? 'another host';

function readRange(gathering: Gathering, element: Element, { subnet }: Place): readonly DhcpRange[] {
  const range = readAddressRange(gathering, element, subnet.first.family);
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
  const { family } = address;
  const given = <T>(name: string, read: (text: string, at: string) => T): T | undefined => {
    const text = element.getAttribute(name);
    return text === null ? undefined : read(text, placeOf(element, name));
  };
  const name = given('name', (text, at) => gathering.take(parseDomain(text, at)));
  const ip = given('ip', () => readAddress(gathering, element, 'ip', family));
  if (ip !== undefined && (!isHostOf(subnet, ip) || ip.value === address.value))
    gathering.refuse(
      placeOf(element, 'ip'),
      `${formatIp(ip)} can not be a guest of ${formatCidr(subnet)} with ${formatIp(address)}`,
    );
  const mac = given('mac', (text, at) => gathering.take(parseMac(text, at)));
  const duid = given('id', (text, at) =>
    family === 6
      ? gathering.take(parseDuid(text, at))
      : gathering.refuse(at, 'only a guest of IPv6 has it', 'write mac='),
  );
  if (!['mac', 'id', 'name'].some((one) => element.hasAttribute(one)))
    return gathering.refuse(placeOf(element, 'mac'), 'is missing: it tells the guest');
  if (!['ip', 'name'].some((one) => element.hasAttribute(one)))
    gathering.refuse(placeOf(element), 'gives neither an address nor a name');
  const leaseSeconds = readLease(gathering, element);
  return {
    ...(mac === undefined ? {} : { mac }),
    ...(duid === undefined ? {} : { duid }),
    ...(ip === undefined ? {} : { ip }),
    ...(name === undefined ? {} : { name }),
    ...(leaseSeconds === undefined ? {} : { leaseSeconds }),
  };
}
