/** Routes and rules of a model as ip(8) takes them, for back ends that run it. */
import { type Rule, ruleWords } from '../../rule.ts';
import type { RouteWish } from '../wish.ts';

export const targetOf = ({ to, via }: RouteWish): string => to ?? (via.includes(':') ? '::/0' : '0.0.0.0/0');

/** A default route of which a gateway, and maybe a metric, says all. @param onlinkToo who reads it makes it "onlink" */
export const isGateway = (
  { to, table, src, hops, onlink }: RouteWish,
  { onlinkToo = false }: { readonly onlinkToo?: boolean } = {},
): boolean => (to ?? table ?? src ?? hops) === undefined && (onlinkToo || onlink === undefined);

/** Behind `ip route add`. @param dev "br0", "$IFACE" */
export function routeText(route: RouteWish, dev: string): string {
  const { to, via, metric, table, onlink, src, hops } = route;
  const ways = hops?.map(
    (hop) => `nexthop via ${hop.via} dev ${dev}${hop.weight === undefined ? '' : ` weight ${hop.weight}`}`,
  );
  return [
    to ?? (via.includes(':') ? '::/0' : 'default'),
    ...(ways === undefined ? [`via ${via} dev ${dev}`] : []),
    ...(metric === undefined ? [] : [`metric ${metric}`]),
    ...(table === undefined ? [] : [`table ${table}`]),
    ...(src === undefined ? [] : [`src ${src}`]),
    ...(onlink === true ? ['onlink'] : []),
    ...(ways ?? []),
  ].join(' ');
}

/** Behind `ip rule add`, the link called `dev`. */
export const ruleText = (rule: Rule, dev: string): string => (ruleWords(rule, '', dev) ?? []).join(' ');
