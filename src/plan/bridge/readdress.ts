/** What the bridge gets when it is to have other addresses than its uplink had: `--address`, `--dhcp`. */
import { contains, parseCidr } from '../../spec/cidr.ts';
import { readIp } from '../../spec/ip.ts';
import { isProblem } from '../../spec/raw.ts';
import type { LinkAddress } from './address.ts';
import type { Layer3 } from './layer3.ts';
import { familyOf } from './persist/wish.ts';
import { isOfAddress, type Route, usesLink } from './route.ts';

export interface Readdress {
  /** "192.0.2.10/24": these take the place of all others of their family. */
  readonly addresses: readonly string[];
  /** The place of all IPv4 addresses is taken by what a server gives. */
  readonly dhcp: boolean;
}

/** Those whose addresses are others. */
export const familiesOf = ({ addresses, dhcp }: Readdress): readonly LinkAddress['family'][] =>
  (['inet', 'inet6'] as const).filter(
    (family) => (dhcp && family === 'inet') || addresses.some((one) => familyOf(one) === family),
  );

export interface Readdressed {
  readonly layer: Layer3;
  /** "default via 10.9.0.1": routes that have no way from the new addresses. */
  readonly lost: readonly string[];
}

/** Link-local addresses of IPv6 stay: nothing depends on them but the link itself. */
export function readdressed(from: Layer3, readdress: Readdress): Readdressed {
  const { addresses, dhcp } = readdress;
  const fresh = addresses.map(newAddress);
  const families = familiesOf(readdress);
  const isReplaced = (family: LinkAddress['family']): boolean => families.includes(family);
  const stays = (one: LinkAddress): boolean =>
    !isReplaced(one.family) || (one.family === 'inet6' && one.scope === 'link');
  const old = from.addresses.filter((one) => !stays(one));
  const kept = from.addresses.filter(stays);
  const of = (all: readonly LinkAddress[], family: string): readonly LinkAddress[] =>
    all.filter((one) => one.family === family);
  // As `ip address` lists them: IPv6 newest first.
  const now = [
    ...[...of(kept, 'inet'), ...of(fresh, 'inet')],
    ...[...[...of(fresh, 'inet6')].reverse(), ...of(kept, 'inet6')],
  ];
  const lost: string[] = [];
  const routes = from.routes.flatMap((route): readonly Route[] => {
    if (!isReplaced(route.family) || !usesLink(route, from.link)) return [route];
    // What came with an address goes with it.
    if (isOfAddress(route, old)) return [];
    const isLeased = route.family === 'inet' && route.row['protocol'] === 'dhcp';
    // A server gives it again.
    if (isLeased && dhcp) return [];
    const stays = isLeased ? withoutLease(route, now) : route;
    if (hasWay(stays, now, dhcp) && !(isLeased && isNetwork(route))) return [stays];
    if (!isLeased || !(isNetwork(route) && isWithin(route, now))) lost.push(nameOf(route));
    return [];
  });
  const { link, neighbours, acceptsRa } = from;
  const more = acceptsRa === undefined ? {} : { acceptsRa };
  return { layer: { link, addresses: now, routes, neighbours, ...more }, lost };
}

/** Nobody gives it again: it is this host's own from now on; of the way out so is what it speaks from. */
function withoutLease({ family, row }: Route, now: readonly LinkAddress[]): Route {
  const { prefsrc, ...rest } = row;
  const isWayOut = row['dst'] === 'default' && (row['table'] === undefined || row['table'] === 'main');
  const stays = prefsrc !== undefined && (!isWayOut || now.some(({ local }) => local === prefsrc));
  return { family, row: { ...rest, ...(stays ? { prefsrc } : {}), protocol: 'static' } };
}

/** As a server's to itself: without a gateway. */
const isNetwork = ({ row }: Route): boolean => !('gateway' in row || 'via' in row || 'nexthops' in row);

/** An address has its own network. */
const isWithin = ({ family, row }: Route, now: readonly LinkAddress[]): boolean =>
  now.some((one) => one.family === family && isNear(one, String(row['dst']).replace(/\/.*/, '')));

function newAddress(text: string): LinkAddress {
  const [local = '', prefix = ''] = text.split('/');
  const isV6 = local.includes(':');
  const prefixlen = Number(prefix);
  return {
    ...{ family: isV6 ? 'inet6' : 'inet', local, prefixlen, scope: 'global', flags: [] },
    // Networks of one or two addresses have none (RFC 3021).
    ...(isV6 || prefixlen > 30 ? {} : { broadcast: '+' }),
  };
}

/** Its source is one of the addresses, and each of its gateways in one of their networks. */
export function hasWay({ family, row }: Route, now: readonly LinkAddress[], dhcp: boolean): boolean {
  const source = row['prefsrc'];
  if (typeof source === 'string' && !now.some(({ local }) => local === source)) return false;
  const hops = Array.isArray(row['nexthops']) ? (row['nexthops'] as Route['row'][]) : [row];
  return hops.every((hop) => {
    const gateway = hop['gateway'];
    if (typeof gateway !== 'string') return true;
    if (Array.isArray(hop['flags']) && hop['flags'].includes('onlink')) return !dhcp;
    return now.some((one) => one.family === family && isNear(one, gateway));
  });
}

function isNear({ local, peer, prefixlen }: LinkAddress, gateway: string): boolean {
  const network = parseCidr(`${peer ?? local}/${prefixlen}`, '');
  const ip = readIp(gateway);
  return !isProblem(network) && ip !== undefined && contains(network, ip);
}

function nameOf({ row }: Route): string {
  const gateway = typeof row['gateway'] === 'string' ? [`via ${row['gateway']}`] : [];
  const table =
    row['table'] === undefined || row['table'] === 'main' ? [] : [`table ${String(row['table'])}`];
  return [String(row['dst']), ...gateway, ...table].join(' ');
}
