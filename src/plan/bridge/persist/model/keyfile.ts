/** A model in NetworkManager's words: [ipv4] and [ipv6] of nm-settings-keyfile(5). */
import { entry, type Section } from '../../../../spec/bridge/sections.ts';
import type { Rule } from '../../rule.ts';
import { cannotPersist, type Family, familyOf, type Model, type RouteWish } from '../wish.ts';
import { isGateway, ruleText, targetOf } from './words.ts';

export function modelSection(
  bridge: string,
  { addresses, routes = [], rules, dhcp4, ra, byMac }: Model,
  family: Family,
): Section {
  const isV6 = family === 'inet6';
  const own = addresses.filter((one) => familyOf(one) === family);
  const ways = routes.filter(({ via }) => familyOf(via) === family);
  const gateway = ways.find((way) => isGateway(way));
  const others = ways.filter((way) => way !== gateway || own.length === 0);
  const auto = (isV6 ? ra : dhcp4) === true;
  return {
    name: isV6 ? 'ipv6' : 'ipv4',
    entries: [
      entry('method', auto ? 'auto' : own.length > 0 ? 'manual' : isV6 ? 'link-local' : 'disabled'),
      // Its own way would have the link's name in it.
      ...(isV6 && auto && byMac === true ? [entry('addr-gen-mode', 'eui64')] : []),
      ...own.map((address, index) => entry(`address${index + 1}`, address)),
      ...(gateway === undefined || own.length === 0 ? [] : [entry('gateway', gateway.via)]),
      ...others
        .flatMap(waysOf)
        .flatMap(({ route, options }, index) => [
          entry(`route${index + 1}`, route),
          ...(options === '' ? [] : [entry(`route${index + 1}_options`, options)]),
        ]),
      ...(rules ?? [])
        .filter((rule) => rule.family === family)
        .map((rule, index) => entry(`routing-rule${index + 1}`, routingRule(rule, bridge))),
      ...(auto || own.length > 0 ? [entry('route-metric', gateway?.metric ?? 100)] : []),
    ],
  };
}

/** Several ways are several routes, each with its weight: nm-settings-keyfile(5). */
function waysOf(way: RouteWish): readonly { readonly route: string; readonly options: string }[] {
  const { via, metric, table, onlink, src, hops } = way;
  return (hops ?? [{ via }]).map((hop) => ({
    route: [targetOf(way), hop.via, ...(metric === undefined ? [] : [metric])].join(','),
    options: [
      ...(onlink === true ? ['onlink=true'] : []),
      ...(src === undefined ? [] : [`src=${src}`]),
      ...(table === undefined ? [] : [`table=${table}`]),
      ...(hops === undefined ? [] : [`weight=${hop.weight ?? 1}`]),
    ].join(','),
  }));
}

/** It has weights for IPv4 only. Throws QL_PERSIST (exit 3). */
export function refuseWeights(bridge: string, { routes = [] }: Model): void {
  const odd = routes.find(({ hops, via }) => hops !== undefined && familyOf(via) === 'inet6');
  if (odd === undefined) return;
  throw cannotPersist(
    bridge,
    [`NetworkManager has no words for the route ${odd.to ?? 'default'} by several ways of IPv6`],
    [`sudo qlaunch bridge persist ${bridge} --persist=none   # prints a script with it`],
  );
}

/** As `ip rule` has it, without the word "all"; it wants an address in each. */
export function routingRule(rule: Rule, bridge: string): string {
  const all = rule.family === 'inet6' ? '::/0' : '0.0.0.0/0';
  const text = ruleText(rule, bridge).replace(/^(not )?from all/, `$1from ${all}`);
  const [words = '', priority = ''] = / ?priority (\d+)/.exec(text) ?? [];
  return `priority ${priority} ${text.replace(words, '')}`;
}
