/** Everything of a link that is above Ethernet, as one look found it, and how to say it to `ip -batch` for another link. */
import { EXIT, QlaunchError } from '../../errors.ts';
import type { Argv } from '../step.ts';
import { addressWords, type LinkAddress } from './address.ts';
import { isOfAddress, type Route, routeWords, usesLink } from './route.ts';
import { withMeanwhile } from './router.ts';
import { routeLines } from './twins.ts';

export interface Layer3 {
  readonly link: string;
  /** In the order of `ip address`. */
  readonly addresses: readonly LinkAddress[];
  /** All of this host, both families; those of other links are not moved. */
  readonly routes: readonly Route[];
  readonly neighbours: readonly Neighbour[];
  /** The kernel takes router advertisements on this link. */
  readonly acceptsRa?: boolean;
}

/** One that somebody set: permanent, or answered for (proxy). */
export interface Neighbour {
  readonly address: string;
  /** Absent: proxy. */
  readonly mac?: string;
}

/**
 * Lines that give `to` all of it, each harmless when it was there already. IPv4 in the order it is listed, primary
 * addresses first; IPv6 is listed newest first. What has no gateway comes before what needs a way to its gateway.
 * Throws QL_CANNOT_MOVE (exit 3) naming all that can not be said.
 */
export function arrivalLines(from: Layer3, to: string): readonly Argv[] {
  const v4 = from.addresses.filter(({ family }) => family === 'inet');
  const v6 = from.addresses.filter(({ family }) => family === 'inet6').reverse();
  const isOfLink = ({ scope }: LinkAddress): boolean => scope === 'link';
  return [
    // A link-local address asks for routers at once, and their answer would make the addresses that are not there yet.
    ...[...v4, ...v6.filter((one) => !isOfLink(one)), ...v6.filter(isOfLink)].map(
      (one): Argv => [
        'address',
        'replace',
        ...addressWords(one, from.link, to, { nodad: one.family === 'inet6' }),
        'dev',
        to,
      ],
    ),
    ...routeLines(from, routesOf(from), to, (route) => wordsOf(route, from, to)),
    ...from.neighbours.map(
      ({ address, mac }): Argv =>
        mac === undefined
          ? ['neigh', 'replace', 'proxy', address, 'dev', to]
          : ['neigh', 'replace', address, 'lladdr', mac, 'dev', to, 'nud', 'permanent'],
    ),
  ];
}

/**
 * For after the move. An IPv6 address arrives with `nodad`, or it could not be used for a second: whether it is asked
 * for is decided a moment later, by a worker of the kernel, so that accept_dad would be no help. Said again without that word
 * it loses it, and is not asked for either, being no tentative one (inet6_addr_modify() in linux/net/ipv6/addrconf.c).
 */
export function checkedLines(from: Layer3, to: string): readonly Argv[] {
  const again = from.addresses.filter((one) => one.family === 'inet6' && !one.flags.includes('nodad'));
  return [
    ...again.map(
      (one): Argv => ['address', 'replace', ...addressWords(one, from.link, to, { nodad: false }), 'dev', to],
    ),
    ...siblingLines(from, to),
  ];
}

/**
 * The prefix routes of addresses that share a prefix but not a metric: an address that is said again takes the first
 * route to its prefix for its own, and deletes it where the metric is another's (modify_prefix_route(), ibidem). So
 * they are made anew; not by `replace`, which takes the place of any route with that metric, the other link's too.
 * `table all`: for one table `ip route flush` without -6 looks at IPv4 only (iproute_list_flush_or_save() in iproute2).
 */
function siblingLines(from: Layer3, to: string): readonly Argv[] {
  const ofPrefix = from.routes.filter(
    (route) => route.family === 'inet6' && usesLink(route, from.link) && isOfAddress(route, from.addresses),
  );
  const dst = ({ row }: Route): string => String(row['dst']);
  const shared = ofPrefix.filter((route) => ofPrefix.filter((other) => dst(other) === dst(route)).length > 1);
  return [...new Set(shared.map(dst))].flatMap((prefix): readonly Argv[] => [
    ['route', 'flush', 'exact', prefix, 'dev', to, 'table', 'all', 'proto', 'kernel'],
    ...shared
      .filter((route) => dst(route) === prefix)
      .map((route): Argv => ['route', 'append', ...wordsOf(route, from, to)]),
  ]);
}

/**
 * Takes the addresses off, last added first: where it stops, those that are left are the first ones, and adding the
 * others again gives the order that was (a primary address takes its secondaries along: linux/net/ipv4/devinet.c).
 */
export function departureLines({ link, addresses }: Layer3): readonly Argv[] {
  const v4 = addresses.filter(({ family }) => family === 'inet').reverse();
  const v6 = addresses.filter((one) => one.family === 'inet6');
  return [...v4, ...v6].map((one): Argv => ['address', 'del', ...nameOf(one), 'dev', link]);
}

/** Without its prefix `ip` takes whichever has the address. */
const nameOf = ({ local, peer, prefixlen }: LinkAddress): readonly string[] =>
  peer === undefined ? [`${local}/${prefixlen}`] : [local, 'peer', `${peer}/${prefixlen}`];

function routesOf(from: Layer3): readonly Route[] {
  const mine = withMeanwhile(from).filter(
    (route) => usesLink(route, from.link) && !isOfAddress(route, from.addresses),
  );
  const needsGateway = ({ row }: Route): boolean => 'gateway' in row || 'via' in row || 'nexthops' in row;
  return [...mine.filter((route) => !needsGateway(route)), ...mine.filter(needsGateway)];
}

function wordsOf(route: Route, from: Layer3, to: string): readonly string[] {
  const words = routeWords(route, from.link, to);
  if (!('problem' in words)) return words.words;
  throw new QlaunchError('QL_CANNOT_MOVE', EXIT.refused, {
    what: `can not move the routes of ${from.link}`,
    why: [`the route ${String(route.row['dst'])} (table ${String(route.row['table'])}) ${words.problem}`],
    todo: [`ip ${route.family === 'inet6' ? '-6 ' : ''}-d route show table ${String(route.row['table'])}`],
  });
}
