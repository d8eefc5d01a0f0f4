/** Routes that the kernel can not tell from another link's: `ip route replace` takes the place of the first of them, whoever has it. */
import type { Argv } from '../step.ts';
import { type Route, usesLink } from './route.ts';

/**
 * What makes an IPv4 route the same one to NLM_F_REPLACE (fib_table_insert() in linux/net/ipv4/fib_trie.c). IPv6 makes
 * one route with several next hops of them, which is moved as a whole.
 */
const keyOf = ({ row }: Route): string =>
  ['table', 'dst', 'tos', 'metric'].map((key) => String(row[key] ?? '')).join(' ');

const isTwin = (one: Route, other: Route): boolean =>
  one !== other && one.family === 'inet' && other.family === 'inet' && keyOf(one) === keyOf(other);

/**
 * The lines that put `mine`, in this order, onto `to`; `words` says a route behind `ip route …`. One with twins goes in
 * before or behind those of other links, as it was; the kernel takes the first.
 */
export function routeLines(
  { link, routes }: { readonly link: string; readonly routes: readonly Route[] },
  mine: readonly Route[],
  to: string,
  words: (route: Route) => readonly string[],
): readonly Argv[] {
  return mine.flatMap((route, index): readonly Argv[] => {
    const twins = [...routes, ...mine].filter((other) => isTwin(route, other));
    if (twins.length === 0) return [['route', 'replace', ...words(route)]];
    // All at once, behind what their gateways need.
    if (mine.slice(index + 1).some((other) => isTwin(route, other))) return [];
    const all = routes.filter((one) => one === route || isTwin(route, one));
    const first = all.findIndex((one) => !usesLink(one, link));
    const own = (some: readonly Route[]): readonly Route[] => some.filter((one) => mine.includes(one));
    const ahead = own(all.slice(0, Math.max(first, 0)));
    const behind = own(all.slice(Math.max(first, 0)));
    return [
      flush(route, to),
      ...ahead.toReversed().map((one): Argv => ['route', 'prepend', ...words(one)]),
      ...behind.map((one): Argv => ['route', 'append', ...words(one)]),
      ...(to === link ? [] : [flush(route, link)]),
    ];
  });
}

/** Harmless when there is none. */
const flush = ({ row }: Route, link: string): Argv => [
  'route',
  ...['flush', 'exact', row['dst'] === 'default' ? '0.0.0.0/0' : String(row['dst']), 'dev', link],
  ...['table', String(row['table'] ?? 'main'), 'tos', String(row['tos'] ?? 0)],
  ...['metric', String(row['metric'] ?? 0)],
];
