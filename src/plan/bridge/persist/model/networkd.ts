/** A model in networkd's words, and what it takes the place of: systemd.network(5). */
import { type Entry, entry, type Section, valuesOf } from '../../../../spec/bridge/sections.ts';
import { type Family, familyOf, type Instead, isReplaced, type Model, type PersistWish } from '../wish.ts';
import { targetOf } from './words.ts';

/** A bridge without ports has no carrier, and waiting for it would hold up the boot. */
export function wholeSections(wish: PersistWish): readonly Section[] {
  const { name, uplink, addresses, routes, rules, dhcp4, ra } = wish;
  const isAlone = uplink === undefined;
  return [
    { name: 'Match', entries: [entry('Name', name)] },
    { name: 'Link', entries: isAlone ? [entry('RequiredForOnline', 'no')] : [] },
    {
      name: 'Network',
      entries: [
        ...(isAlone ? [entry('ConfigureWithoutCarrier', 'yes')] : []),
        ...(dhcp4 === true ? [entry('DHCP', 'ipv4')] : []),
        entry('IPv6AcceptRA', ra === true ? 'yes' : 'no'),
        ...addresses.map((one) => entry('Address', one)),
      ],
    },
    { name: 'DHCPv4', entries: dhcp4 === true ? [BY_MAC] : [] },
    ...routeSections(routes, name),
    ...ruleSections(rules, name),
  ];
}

/** The MAC is the uplink's; the DUID that networkd would say has the link's name in it. */
const BY_MAC = entry('ClientIdentifier', 'mac');

/** What stands for the families that are others than in the files. */
export function insteadSections(
  bridge: string,
  instead: Instead,
  old: readonly Section[],
): readonly Section[] {
  const { addresses, routes, dhcp4, ra, families } = instead;
  const has = (family: Family): boolean => families.includes(family);
  const was = asksOf(old);
  const asks = { inet: has('inet') ? dhcp4 === true : was.inet, inet6: !has('inet6') && was.inet6 };
  const dhcp = asks.inet && asks.inet6 ? 'yes' : asks.inet ? 'ipv4' : asks.inet6 ? 'ipv6' : 'no';
  return [
    {
      name: 'Network',
      entries: [
        entry('DHCP', dhcp),
        ...(has('inet6') ? [entry('IPv6AcceptRA', ra === true ? 'yes' : 'no')] : []),
        ...addresses.map((one) => entry('Address', one)),
        ...nameServerEntries(instead, old),
      ],
    },
    { name: 'DHCPv4', entries: asks.inet && !was.inet ? [BY_MAC] : [] },
    ...routeSections(routes, bridge),
  ];
}

/** What it took from the lease (UseDNS=, UseDomains=), and does not say by itself. */
function nameServerEntries({ nameServers }: Instead, old: readonly Section[]): readonly Entry[] {
  const { dns, domains } = nameServers ?? { dns: [], domains: [] };
  const last = (key: string): string =>
    ['DHCP', 'DHCPv4'].flatMap((section) => valuesOf(old, section, key)).at(-1) ?? '';
  const said = (key: string): readonly string[] =>
    valuesOf(old, 'Network', key).flatMap((value) => value.split(/\s+/));
  const others = (key: string, values: readonly string[]): readonly Entry[] => {
    const fresh = values.filter((one) => !said(key).includes(one));
    return fresh.length === 0 ? [] : [entry(key, fresh.join(' '))];
  };
  const domainsOf = /^route$/i.test(last('UseDomains'))
    ? domains.map((one) => `~${one.replace('~', '')}`)
    : domains;
  return [
    ...(/^(no|false|off|0|n|f)$/i.test(last('UseDNS')) ? [] : others('DNS', dns)),
    ...(/^(yes|true|on|1|y|t|route)$/i.test(last('UseDomains')) ? others('Domains', domainsOf) : []),
  ];
}

/** Which addresses a server is asked for. */
export function asksOf(sections: readonly Section[]): Readonly<Record<Family, boolean>> {
  const last = valuesOf(sections, 'Network', 'DHCP').at(-1) ?? 'no';
  const both = /^(yes|true|on|1|y|t|both)$/i.test(last);
  return { inet: both || /^(ipv4|v4)$/i.test(last), inet6: both || /^(ipv6|v6)$/i.test(last) };
}

/** The files' sections without what they say of families that are others. */
export function withoutReplaced(wish: PersistWish, old: readonly Section[]): readonly Section[] {
  const isGone = (address: string): boolean => isReplaced(wish, familyOf(address));
  const stays = (section: string, { key, value }: Entry): boolean => {
    if (section !== 'Network') return true;
    if (key === 'DHCP') return false;
    if (key === 'IPv6AcceptRA') return !isReplaced(wish, 'inet6');
    return (key !== 'Address' && key !== 'Gateway') || !isGone(value);
  };
  const isOther = ({ name, entries }: Section): boolean => {
    if (name === 'DHCPv4' || name === 'DHCP') return isReplaced(wish, 'inet') && wish.instead?.dhcp4 !== true;
    if (name !== 'Address' && name !== 'Route') return false;
    const words = entries.flatMap(({ key, value }) =>
      /^(Address|Destination|Gateway)$/.test(key) ? [value] : [],
    );
    return isReplaced(
      wish,
      words.some((word) => word.includes(':') || word === '_ipv6ra') ? 'inet6' : 'inet',
    );
  };
  return old
    .filter((section) => !isOther(section))
    .map(({ name, entries }) => ({ name, entries: entries.filter((one) => stays(name, one)) }));
}

/** No manager takes a [Route] with a gateway and several ways. @param link whose ways they are */
export function routeSections(routes: Model['routes'] = [], link: string): readonly Section[] {
  return routes.map((route) => {
    const { to, via, metric, table, onlink, src, hops } = route;
    const ways = hops?.map(({ via: hop, weight = 1 }) => entry('MultiPathRoute', `${hop}@${link} ${weight}`));
    return {
      name: 'Route',
      entries: [
        ...(to === undefined && ways === undefined ? [] : [entry('Destination', targetOf(route))]),
        ...(ways ?? [entry('Gateway', via)]),
        ...(onlink === true ? [entry('GatewayOnLink', 'yes')] : []),
        ...(metric === undefined ? [] : [entry('Metric', metric)]),
        ...(table === undefined ? [] : [entry('Table', table)]),
        ...(src === undefined ? [] : [entry('PreferredSource', src)]),
      ],
    };
  });
}

export function ruleSections(rules: Model['rules'] = [], link: string): readonly Section[] {
  return rules.map(({ family, row }) => {
    const text = (key: string): string | undefined =>
      row[key] === undefined || row[key] === 'all' ? undefined : String(row[key]);
    const network = (key: string): string | undefined =>
      row[`${key}len`] === undefined ? text(key) : `${String(row[key])}/${String(row[`${key}len`])}`;
    const range = (key: string): string | undefined =>
      row[`${key}_start`] === undefined
        ? text(key)
        : `${String(row[`${key}_start`])}-${String(row[`${key}_end`])}`;
    const name = (key: string): string | undefined => (row[key] === '' ? link : text(key));
    const mask = text('fwmask');
    const mark = mask === undefined ? text('fwmark') : `${text('fwmark')}/${mask}`;
    const pairs: readonly (readonly [string, string | undefined])[] = [
      // Where no address says it, it would be IPv4.
      ['Family', (network('src') ?? network('dst')) ? undefined : family === 'inet6' ? 'ipv6' : 'ipv4'],
      ['Priority', text('priority')],
      ['InvertRule', 'not' in row ? 'yes' : undefined],
      ['From', network('src')],
      ['To', network('dst')],
      ['IncomingInterface', name('iif')],
      ['OutgoingInterface', name('oif')],
      ['TypeOfService', text('tos')],
      ['FirewallMark', mark],
      ['IPProtocol', text('ipproto')],
      ['User', range('uid')],
      ['SourcePort', range('sport')],
      ['DestinationPort', range('dport')],
      ['SuppressPrefixLength', text('suppress_prefixlen')],
      ['Table', text('table')],
      ['Type', row['action'] === 'to_tbl' ? undefined : text('action')],
    ];
    return {
      name: 'RoutingPolicyRule',
      entries: pairs.flatMap(([key, value]) => (value === undefined ? [] : [entry(key, value)])),
    };
  });
}
