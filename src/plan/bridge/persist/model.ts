/** What is on a link now, as far as a file can say it: for an uplink that no file names. */
import type { LinkAddress } from '../address.ts';
import type { DhcpClient } from '../dhcp.ts';
import type { Layer3 } from '../layer3.ts';
import type { NameServers } from '../name-servers.ts';
import { familiesOf, hasWay, type Readdress, readdressed } from '../readdress.ts';
import { isOfAddress, type Route, usesLink } from '../route.ts';
import { namesLink, type Rule, ruleWords } from '../rule.ts';
import { isByMac } from './identity.ts';
import type { Family, Instead, Model, PersistWish, RouteWish } from './wish.ts';

export interface ModelFacts extends Layer3 {
  readonly rules: readonly Rule[];
  readonly clients?: readonly DhcpClient[];
  /** Of networkd's lease. */
  readonly leased?: string;
  /** Of the lease, or of one that has ended. */
  readonly nameServers?: NameServers;
}

/** Leased and learnt addresses are asked for again; routes of the kernel come by themselves. */
export function modelOf(
  facts: ModelFacts,
): Omit<Required<Model>, 'byMac' | 'nameServers'> & Pick<Model, 'byMac'> {
  const lasts = lasting(facts);
  const own = lasts.addresses.filter(({ scope }) => scope !== 'link');
  const learnt = facts.addresses.some(({ family, validS }) => family === 'inet6' && validS !== undefined);
  const dhcp4 = facts.addresses.some(isLeased(facts));
  const routes = lasts.routes.filter(
    (route) => usesLink(route, facts.link) && !comesByItself(route, facts.addresses),
  );
  const rules = facts.rules.filter((rule) => isOfLink(rule, facts.link, own));
  return {
    addresses: own
      .filter(({ peer }) => peer === undefined)
      .map(({ local, prefixlen }) => `${local}/${prefixlen}`),
    routes: routes.flatMap((route) => (isPlain(route, facts.link) ? routeWish(route) : [])),
    rules: rules.filter(isPlainRule).map((rule) => ruleOf(rule, facts.link)),
    dhcp4,
    ...(isByMac(facts) ? { byMac: true } : {}),
    ra: learnt || facts.routes.some(({ row }) => row['protocol'] === 'ra' && row['dev'] === facts.link),
    unsaid: [
      ...own.flatMap(({ local, peer }) =>
        peer === undefined ? [] : [`the address ${local} with the peer ${peer}`],
      ),
      ...routes.filter((route) => !isPlain(route, facts.link)).map(routeText),
      ...rules
        .filter((rule) => !isPlainRule(rule))
        .map(({ row }) => `the policy rule ${String(row['priority'])}`),
    ],
  };
}

/** udhcpc's script gives its address no lifetime. */
const isLeased =
  ({ clients = [], leased }: ModelFacts) =>
  ({ family, local, validS }: LinkAddress): boolean =>
    family === 'inet' &&
    (validS !== undefined || local === leased || clients.some(({ address }) => address === local));

/** Without what a server or a router has given; their routes by the protocol they say are left to the caller. */
export function lasting(facts: ModelFacts): Pick<Layer3, 'addresses' | 'routes'> {
  const isOfServer = isLeased(facts);
  const given = facts.addresses.filter((one) => isOfServer(one) || one.validS !== undefined);
  const addresses = facts.addresses.filter((one) => !given.includes(one));
  const dhcp4 = given.some(isOfServer);
  // The scripts of clients say of a route as little as an administrator does.
  const isOfLease = ({ family, row }: Route): boolean =>
    dhcp4 && family === 'inet' && row['dst'] === 'default' && !hasWay({ family, row }, addresses, true);
  const isOfGiven = (route: Route): boolean => isOfAddress(route, given) && !isOfAddress(route, addresses);
  return { addresses, routes: facts.routes.filter((route) => !isOfLease(route) && !isOfGiven(route)) };
}

/** Of a bridge that has other addresses than its uplink: those families are what they are now. */
export function insteadOf(facts: ModelFacts, families: readonly Family[]): Instead {
  const isOf = ({ family }: { readonly family: Family }): boolean => families.includes(family);
  const some = { addresses: facts.addresses.filter(isOf), routes: facts.routes.filter(isOf), rules: [] };
  const { nameServers } = facts;
  const isTold = nameServers !== undefined && families.includes('inet');
  return { ...modelOf({ ...facts, ...some }), families, ...(isTold ? { nameServers } : {}) };
}

/** Before the move. @param arriving what the bridge will have; of `--dhcp` without what a server gives */
export function modelToBe(
  before: ModelFacts,
  arriving: Layer3,
  readdress: Readdress | undefined,
): Model & Pick<PersistWish, 'instead'> {
  if (readdress === undefined) return modelOf(before);
  const { clients: _, leased: __, ...known } = { ...before, ...arriving };
  // Of IPv4 addresses that are others none is of the old lease, also where one is the same.
  const facts = familiesOf(readdress).includes('inet') ? known : { ...before, ...arriving };
  // Its routers go on to tell it what they told the uplink.
  const { ra } = modelOf(before);
  const more = { ra, ...(readdress.dhcp ? { dhcp4: true } : {}) };
  const instead = insteadOf(facts, familiesOf(readdress));
  return { ...modelOf(facts), ...more, instead: { ...(readdress.dhcp ? asked(instead) : instead), ...more } };
}

/** A server says anew what name servers there are. */
export function asked({ nameServers: _, ...instead }: Instead): Instead {
  return { ...instead, dhcp4: true };
}

/** Before the move, for files that count until the next boot: what they have no words for stays without them. */
export function modelForNow(
  before: ModelFacts,
  readdress: Readdress | undefined,
): Pick<PersistWish, 'addresses' | 'instead'> {
  if (readdress === undefined) return { addresses: [] };
  const { instead } = modelToBe(before, readdressed(before, readdress).layer, readdress);
  return { addresses: [], ...(instead === undefined ? {} : { instead: { ...instead, unsaid: [] } }) };
}

function comesByItself(route: Route, addresses: readonly LinkAddress[]): boolean {
  const { row } = route;
  if (/^(dhcp|ra|redirect)$/.test(String(row['protocol']))) return true;
  if ('gateway' in row || 'via' in row || 'nexthops' in row) return false;
  // That of an address with noprefixroute is made by whoever made the address, as the kernel's own (NetworkManager).
  return row['protocol'] === 'kernel' && (isMain(row) || isOfAddress(route, addresses));
}

const isMain = ({ table }: Route['row']): boolean => table === undefined || table === 'main' || table === 254;

/** A target, gateways, a metric, a table by its number: what network managers have words for. */
function isPlain({ row }: Route, link: string): boolean {
  const more = ['via', 'nhid', 'encap', 'src', 'tos', 'expires', 'metrics'];
  const hops = hopsOf(row);
  return (
    hops.length > 0 &&
    hops.every((hop) => typeof hop['gateway'] === 'string' && hop['dev'] === link && !('via' in hop)) &&
    (isMain(row) || /^\d+$/.test(String(row['table']))) &&
    (row['type'] === undefined || row['type'] === 'unicast') &&
    (row['pref'] === undefined || row['pref'] === 'medium') &&
    (row['nexthops'] === undefined || !hops.some(isOnlink)) &&
    !more.some((key) => key in row && !(Array.isArray(row[key]) && row[key].length === 0))
  );
}

const hopsOf = (row: Route['row']): readonly Route['row'][] =>
  Array.isArray(row['nexthops']) ? (row['nexthops'] as Route['row'][]) : [row];

const isOnlink = ({ flags }: Route['row']): boolean => Array.isArray(flags) && flags.includes('onlink');

function routeText({ row }: Route): string {
  const { dst, gateway } = row;
  const via = typeof gateway === 'string' ? ` via ${gateway}` : 'nexthops' in row ? ' by several ways' : '';
  return `the route ${String(dst)}${via}${isOnlink(row) ? ' onlink' : ''}${isMain(row) ? '' : ` of the table ${String(row['table'])}`}`;
}

function routeWish({ row }: Route): readonly RouteWish[] {
  const { dst, metric, prefsrc } = row;
  const hops = hopsOf(row).map(({ gateway, weight }) => ({
    via: String(gateway),
    ...(typeof weight === 'number' ? { weight } : {}),
  }));
  const [first] = hops;
  if (first === undefined) return [];
  return [
    {
      via: first.via,
      ...(dst === 'default' ? {} : { to: String(dst) }),
      ...(typeof metric === 'number' && metric > 0 ? { metric } : {}),
      ...(isMain(row) ? {} : { table: Number(row['table']) }),
      ...(isOnlink(row) ? { onlink: true } : {}),
      ...(typeof prefsrc === 'string' ? { src: prefsrc } : {}),
      ...(hops.length > 1 ? { hops } : {}),
    },
  ];
}

/** Of the link itself, or of what it speaks from. */
export const isOfLink = (rule: Rule, link: string, addresses: readonly LinkAddress[]): boolean =>
  namesLink(rule, link) ||
  addresses.some(({ family, local }) => rule.family === family && rule.row['src'] === local);

/** What ip(8) says of it that no network manager has a word for: where another rule is, or a table by its name. */
const isPlainRule = (rule: Rule): boolean =>
  ruleWords(rule, '', '') !== undefined &&
  rule.row['goto'] === undefined &&
  /^(\d+|main|local|default|undefined)$/.test(String(rule.row['table']));

/** Without its maker; the link is "". */
function ruleOf({ family, row }: Rule, link: string): Rule {
  const { protocol: _, ...rest } = row;
  const named = ['iif', 'oif'].filter((key) => row[key] === link).map((key) => [key, ''] as const);
  return { family, row: { ...rest, ...Object.fromEntries(named) } };
}
