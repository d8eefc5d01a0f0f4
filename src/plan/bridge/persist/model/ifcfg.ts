/** A model in the words of ifcfg files: sysconfig.txt of initscripts, nm-settings-ifcfg-rh(5). */
import { ifcfgLine } from '../../../../spec/bridge/ifcfg.ts';
import {
  cannotPersist,
  type Family,
  familyOf,
  headOf,
  isReplaced,
  type KeptFile,
  type Model,
  type PersistWish,
  type RouteWish,
} from '../wish.ts';
import { routingRule } from './keyfile.ts';
import { isGateway, routeText, ruleText } from './words.ts';

export const IFCFG_DIR = '/etc/sysconfig/network-scripts';

const SAYS: Readonly<Record<Family, RegExp>> = {
  inet: /^(BOOTPROTO|(IPADDR|PREFIX|NETMASK|GATEWAY|BROADCAST|NETWORK)[0-9]*|SCOPE|SRCADDR|GATEWAYDEV|METRIC)$/,
  inet6: /^(IPV6INIT|IPV6_AUTOCONF|IPV6ADDR|IPV6ADDR_SECONDARIES|IPV6_DEFAULTGW|IPV6_DEFROUTE|DHCPV6C)$/,
};

/** Whether what the NIC's file says by this key is said by the model. */
export const isInModel = (wish: PersistWish, key: string): boolean =>
  (['inet', 'inet6'] as const).some((family) => isReplaced(wish, family) && SAYS[family].test(key));

export function modelLines(
  { addresses, routes = [], dhcp4, ra, byMac }: Model,
  families: readonly Family[] = ['inet', 'inet6'],
): readonly string[] {
  const of = (family: Family): readonly string[] => addresses.filter((one) => familyOf(one) === family);
  const gateway = (family: Family): string | undefined =>
    routes.find((route) => isUsual(route) && familyOf(route.via) === family)?.via;
  const [gateway4, gateway6] = [gateway('inet'), gateway('inet6')];
  const [first6, ...more6] = of('inet6');
  const v4 = [
    ifcfgLine('BOOTPROTO', dhcp4 === true ? 'dhcp' : 'none'),
    ...of('inet').flatMap((one, index) => {
      const [address = '', prefix = ''] = one.split('/');
      const which = index === 0 ? '' : String(index);
      return [ifcfgLine(`IPADDR${which}`, address), ifcfgLine(`PREFIX${which}`, prefix)];
    }),
    ...(gateway4 === undefined ? [] : [ifcfgLine('GATEWAY', gateway4)]),
  ];
  const v6 = [
    ifcfgLine('IPV6INIT', ra === true || first6 !== undefined ? 'yes' : 'no'),
    ifcfgLine('IPV6_AUTOCONF', ra === true ? 'yes' : 'no'),
    ...(ra === true && byMac === true ? [ifcfgLine('IPV6_ADDR_GEN_MODE', 'eui64')] : []),
    ...(first6 === undefined ? [] : [ifcfgLine('IPV6ADDR', first6)]),
    ...(more6.length === 0 ? [] : [ifcfgLine('IPV6ADDR_SECONDARIES', more6.join(' '))]),
    ...(gateway6 === undefined ? [] : [ifcfgLine('IPV6_DEFAULTGW', gateway6)]),
  ];
  return families.flatMap((family) => (family === 'inet' ? v4 : v6));
}

/** Who reads the files: without the network scripts NetworkManager, which has other words for some. */
export type Reader = 'scripts' | 'NetworkManager';

/** Rules of the network scripts are lines for `ip rule add` in files of their own, where NetworkManager sees none. */
export const ruleLines = ({ rules = [] }: Model, bridge: string, reader: Reader): readonly string[] =>
  reader === 'scripts'
    ? []
    : (['inet', 'inet6'] as const).flatMap((family) =>
        rules
          .filter((rule) => rule.family === family)
          .map((rule, index) =>
            ifcfgLine(`ROUTING_RULE${family === 'inet6' ? '6' : ''}_${index + 1}`, routingRule(rule, bridge)),
          ),
      );

/** Throws QL_PERSIST (exit 3). */
export function modelRoutes(
  bridge: string,
  { routes = [], rules = [] }: Model,
  reader: Reader,
): readonly KeptFile[] {
  const several = routes.find(({ hops }) => hops !== undefined);
  if (several !== undefined && reader !== 'scripts')
    throw cannotPersist(
      bridge,
      [
        `the route ${several.to ?? 'default'} by several ways is one for the network scripts, which are not installed here`,
      ],
      [`sudo qlaunch bridge persist ${bridge} --persist=none   # prints a script with it`],
    );
  const file = (kind: string, lines: readonly string[]): readonly KeptFile[] =>
    lines.length === 0
      ? []
      : [
          {
            path: `${IFCFG_DIR}/${kind}-${bridge}`,
            content: `${[headOf(bridge, 'removes this file'), ...lines].join('\n')}\n`,
          },
        ];
  return (['inet', 'inet6'] as const).flatMap((family) => {
    const number = family === 'inet' ? '' : '6';
    const own = routes.filter((route) => familyOf(route.via) === family && !isUsual(route));
    const said = reader === 'scripts' ? rules.filter((rule) => rule.family === family) : [];
    return [
      ...file(
        `route${number}`,
        own.map((route) => routeText(route, bridge)),
      ),
      ...file(
        `rule${number}`,
        said.map((rule) => ruleText(rule, bridge)),
      ),
    ];
  });
}

/** GATEWAY= has no word for a metric. */
const isUsual = (route: RouteWish): boolean => isGateway(route) && route.metric === undefined;
