/** Where no network manager shall make the bridge: the `ip` lines that do, for whatever runs at boot there. */
import { delayWord } from '../../bridge.ts';
import { shellLine } from '../../shell.ts';
import type { LinkAddress } from '../address.ts';
import { arrivalLines } from '../layer3.ts';
import { type Rule, ruleWords } from '../rule.ts';
import { isOfLink, lasting, type ModelFacts } from './model.ts';
import { cannotPersist, delayOf, type PersistWish } from './wish.ts';

/** A script for sh. What was leased or learnt is not in it: that is asked for anew. */
export function ipScript(wish: PersistWish, now: ModelFacts): string {
  const { name, uplink, mac, mtu, stp, vlanAware } = wish;
  const { addresses, routes } = lasting(now);
  const kept = {
    ...{ ...now, addresses },
    routes: routes.filter(({ row }) => row['protocol'] !== 'ra' && row['protocol'] !== 'dhcp'),
  };
  const lines: readonly (readonly string[])[] = [
    [
      ...['link', 'add', name, ...(mac === undefined ? [] : ['address', mac]), 'type', 'bridge'],
      ...['stp_state', stp === true ? '1' : '0', 'forward_delay', delayWord(delayOf(wish))],
      ...(vlanAware === true ? ['vlan_filtering', '1'] : []),
    ],
    ...(uplink === undefined ? [] : [['link', 'set', 'dev', uplink, 'up', 'master', name]]),
    ...(mtu === undefined ? [] : [['link', 'set', 'dev', name, 'mtu', String(mtu)]]),
    ['link', 'set', 'dev', name, 'up'],
    ...arrivalLines(kept, name),
    ...ruleLines(kept.rules, name, kept.addresses),
  ];
  return [
    '#!/bin/sh -e',
    `# The bridge ${name}, by ip alone. Nothing runs this by itself: it belongs where this host sets up its network.`,
    ...lines.map((words) => shellLine(['ip', ...words])),
    ...(wish.dhcp4 === true
      ? [`# Its IPv4 address is leased: start the DHCP client on ${name}, not on ${uplink}.`]
      : []),
    ...(wish.ra === true
      ? [`# Its IPv6 addresses are learnt from router advertisements, once it is up.`]
      : []),
  ].join('\n');
}

function ruleLines(
  rules: readonly Rule[],
  name: string,
  addresses: readonly LinkAddress[],
): readonly (readonly string[])[] {
  return rules
    .filter((rule) => isOfLink(rule, name, addresses))
    .map((rule) => {
      const family = rule.family === 'inet6' ? '-6' : '-4';
      const words = ruleWords(rule, name, name);
      if (words !== undefined) return [family, 'rule', 'add', ...words];
      throw cannotPersist(
        name,
        [`a policy rule says what is not known: ${JSON.stringify(rule.row)}`],
        [`ip ${family} rule show`],
      );
    });
}
