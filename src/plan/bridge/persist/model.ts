/** What is on a link now, as far as a file can say it: for an uplink that no file names. */
import type { LinkAddress } from '../address.ts';
import type { Layer3 } from '../layer3.ts';
import { isOfAddress, type Route, usesLink } from '../route.ts';
import { namesLink, type Rule } from '../rule.ts';
import type { PersistWish, RouteWish } from './wish.ts';

type ModelFacts = Layer3 & { readonly rules: readonly Rule[] };
type Model = Pick<PersistWish, 'addresses' | 'routes' | 'dhcp4' | 'ra' | 'unsaid'>;

/** Leased and learnt addresses are asked for again; routes of the kernel come by themselves. */
export function modelOf(facts: ModelFacts): Model {
  const leased = facts.addresses.some(({ family, validS }) => family === 'inet' && validS !== undefined);
  const learnt = facts.addresses.some(({ family, validS }) => family === 'inet6' && validS !== undefined);
  const own = facts.addresses.filter(({ validS, scope }) => validS === undefined && scope !== 'link');
  const routes = facts.routes.filter(
    (route) => usesLink(route, facts.link) && !comesByItself(route, facts.addresses),
  );
  return {
    addresses: own
      .filter(({ peer }) => peer === undefined)
      .map(({ local, prefixlen }) => `${local}/${prefixlen}`),
    routes: routes.flatMap((route) => (isPlain(route) ? routeWish(route) : [])),
    dhcp4: leased,
    ra: learnt || facts.routes.some(({ row }) => row['protocol'] === 'ra' && row['dev'] === facts.link),
    unsaid: [
      ...own.flatMap(({ local, peer }) =>
        peer === undefined ? [] : [`the address ${local} with the peer ${peer}`],
      ),
      ...routes.filter((route) => !isPlain(route)).map(routeText),
      ...facts.rules
        .filter((rule) => namesLink(rule, facts.link))
        .map(({ row }) => `the policy rule ${String(row['priority'])}`),
    ],
  };
}

function comesByItself(route: Route, addresses: readonly LinkAddress[]): boolean {
  const { row } = route;
  if (/^(dhcp|ra|redirect)$/.test(String(row['protocol']))) return true;
  if ('gateway' in row || 'via' in row || 'nexthops' in row) return false;
  // That of an address with noprefixroute is made by whoever made the address, as the kernel's own (NetworkManager).
  return row['protocol'] === 'kernel' && (isMain(row) || isOfAddress(route, addresses));
}

const isMain = ({ table }: Route['row']): boolean => table === undefined || table === 'main' || table === 254;

/** A target, a gateway and a metric: what every network manager has words for. */
function isPlain({ row }: Route): boolean {
  const more = ['via', 'nexthops', 'nhid', 'encap', 'src', 'prefsrc', 'tos', 'expires', 'metrics'];
  return (
    typeof row['gateway'] === 'string' &&
    isMain(row) &&
    (row['type'] === undefined || row['type'] === 'unicast') &&
    (row['pref'] === undefined || row['pref'] === 'medium') &&
    !flagsOf(row).includes('onlink') &&
    !more.some((key) => key in row && !(Array.isArray(row[key]) && row[key].length === 0))
  );
}

const flagsOf = ({ flags }: Route['row']): readonly unknown[] => (Array.isArray(flags) ? flags : []);

function routeText({ row }: Route): string {
  const { dst, gateway } = row;
  const via = typeof gateway === 'string' ? ` via ${gateway}` : 'nexthops' in row ? ' by several ways' : '';
  const onlink = flagsOf(row).includes('onlink') ? ' onlink' : '';
  return `the route ${String(dst)}${via}${onlink}${isMain(row) ? '' : ` of the table ${String(row['table'])}`}`;
}

function routeWish({ row }: Route): readonly RouteWish[] {
  const { dst, gateway, metric } = row;
  if (typeof gateway !== 'string') return [];
  return [
    {
      via: gateway,
      ...(dst === 'default' ? {} : { to: String(dst) }),
      ...(typeof metric === 'number' && metric > 0 ? { metric } : {}),
    },
  ];
}
