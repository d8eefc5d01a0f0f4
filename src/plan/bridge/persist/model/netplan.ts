/** A model in netplan's words (netplan(5)), at the depth of a bridge's keys. */
import type { Section } from '../../../../spec/bridge/sections.ts';
import { cannotPersist, isReplaced, type PersistWish } from '../wish.ts';
import { routeSections, ruleSections } from './networkd.ts';
import { targetOf } from './words.ts';

const DEPTH = ' '.repeat(6);

/** Whether what the files say by this key is said by the model. */
export function isInModel(wish: PersistWish, key: string): boolean {
  if (wish.instead === undefined) return false;
  if (/^(addresses|routes|gateway[46])$/.test(key)) return true;
  if (/^(dhcp6|accept-ra|dhcp6-overrides)$/.test(key)) return isReplaced(wish, 'inet6');
  if (!isReplaced(wish, 'inet')) return false;
  return key === 'dhcp4' || (/^dhcp(-identifier|4-overrides)$/.test(key) && wish.dhcp4 !== true);
}

/** @param isNamed the files have something for the NIC, of which some stays */
export function modelLines(
  wish: PersistWish,
  isNamed: boolean,
  keys: ReadonlySet<string> = new Set(),
): readonly string[] {
  const { addresses, routes = [], dhcp4, ra, uplink } = wish;
  const plain = routes.filter(({ hops }) => hops === undefined);
  const [inet, inet6] = [!isNamed || isReplaced(wish, 'inet'), !isNamed || isReplaced(wish, 'inet6')];
  return [
    ...(inet ? [`dhcp4: ${dhcp4 === true}`] : []),
    ...(dhcp4 === true && !isNamed ? ['dhcp-identifier: mac'] : []),
    ...(inet6 ? [`accept-ra: ${ra === true}`] : []),
    ...(uplink === undefined ? ['optional: true'] : []),
    ...(addresses.length === 0 ? [] : ['addresses:', ...addresses.map((one) => `  - "${one}"`)]),
    ...nameServerLines(wish, keys),
    ...(plain.length === 0 ? [] : ['routes:']),
    ...plain.flatMap((route) => [
      `  - to: "${targetOf(route)}"`,
      `    via: "${route.via}"`,
      ...(route.metric === undefined ? [] : [`    metric: ${route.metric}`]),
      ...(route.table === undefined ? [] : [`    table: ${route.table}`]),
      ...(route.onlink === true ? ['    on-link: true'] : []),
      ...(route.src === undefined ? [] : [`    from: "${route.src}"`]),
    ]),
  ].map((line) => `${DEPTH}${line}`);
}

/** Where the NIC's entry has some by itself, those are enough. */
function nameServerLines({ instead }: PersistWish, keys: ReadonlySet<string>): readonly string[] {
  const { dns, domains } = instead?.nameServers ?? { dns: [], domains: [] };
  if (dns.length === 0 || keys.has('nameservers')) return [];
  const quoted = (values: readonly string[]): string => values.map((one) => `"${one}"`).join(', ');
  return [
    'nameservers:',
    `  addresses: [${quoted(dns)}]`,
    ...(domains.length === 0 ? [] : [`  search: [${quoted(domains)}]`]),
  ];
}

/**
 * What netplan has no words for, for the drop-in that networkd reads beside: routes by several ways, and rules, as
 * its routing-policy knows no interface. Throws QL_PERSIST (exit 3) where NetworkManager is behind it.
 */
export function besideNetplan(wish: PersistWish, renderer: string, isNamed: boolean): readonly Section[] {
  const { name, routes = [], rules } = wish;
  const sections = [
    ...routeSections(
      routes.filter(({ hops }) => hops !== undefined),
      name,
    ),
    ...(isNamed ? [] : ruleSections(rules, name)),
  ];
  if (sections.length === 0 || renderer === 'networkd') return sections;
  throw cannotPersist(
    name,
    ['netplan has no words for policy rules of an interface and for routes by several ways'],
    ['the same command with --persist=networkmanager'],
  );
}
