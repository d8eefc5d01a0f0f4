/** Firewall rules that name a NIC: what comes in by it as a port comes in by the bridge, which they do not know. */
import type { Chain } from '../firewall/ruleset.ts';
import { shellWord } from '../shell.ts';
import { addElements, type NamedSet, setsIn } from './wall-set.ts';

/** What decides on this host what may pass, but for us. */
export interface Wall {
  readonly chains: readonly Chain[];
  readonly sets: readonly NamedSet[];
}

export interface NamingRule {
  readonly family: string;
  readonly table: string;
  readonly chain: string;
  readonly rule: string;
  /** A command line for root: the same for the bridge, at the same place. */
  readonly cure: string;
}

/** Of `nft -a list ruleset`. Those whose copy for the bridge stands right before or behind them are not among them. */
export function rulesNaming({ chains, sets }: Wall, nic: string, bridge: string): readonly NamingRule[] {
  const said = new Set<NamedSet>();
  return chains.flatMap(({ family, table, name, rules, handles = [] }) =>
    rules.flatMap((rule, index) => {
      const used = setsOf(sets, { family, table, rule }).filter(
        (set) => missingIn(set, nic, bridge).length > 0,
      );
      const inSets = used
        .filter((set) => !set.byIndex && !said.has(set))
        .map((set) => {
          // One cure for all rules that use it.
          said.add(set);
          const shown = `${rule}, and ${set.name} has ${namedIn(set, nic)}`;
          const cure = addElements(set, missingIn(set, nic, bridge));
          return { family, table, chain: name, rule: shown, cure };
        });
      if (used.some(({ byIndex }) => !byIndex)) return inSets;
      const other = used.length > 0 ? withoutIndex(rule, bridge) : forBridge(rule, nic, bridge);
      if (other === undefined) return [];
      const beside = [rules[index - 1], rules[index + 1]].map((one) => (one ? normal(one) : undefined));
      if (!other.replaces && beside.includes(normal(other.text))) return [];
      const verb = other.replaces ? 'replace' : 'add';
      // nft(8): `add` with a position is behind that rule.
      const at = `${other.replaces ? 'handle' : 'position'} ${handles[index] ?? ''}`;
      const cure = `sudo nft ${verb} rule ${family} ${table} ${name} ${at} ${shellWord(other.text)}`;
      return [{ family, table, chain: name, rule, cure }];
    }),
  );
}

const setsOf = (
  sets: readonly NamedSet[],
  { family, table, rule }: { readonly family: string; readonly table: string; readonly rule: string },
): readonly NamedSet[] => {
  const names = setsIn(rule);
  return sets.filter((set) => names.includes(set.name) && set.family === family && set.table === table);
};

/** What it has for the NIC, said for the bridge; empty: nothing, or it has both. */
function missingIn({ elements }: NamedSet, nic: string, bridge: string): readonly string[] {
  const key = (element: string): string => element.replace(/ (:|timeout) .*/, '');
  const names = (element: string): readonly string[] => key(element).match(/"[^"]*"/g) ?? [];
  const of = (link: string): readonly string[] =>
    elements.filter((element) => names(element).some((one) => covers(one, link)));
  const renamed = (element: string, link: string): string =>
    key(element).replaceAll(/"[^"]*"/g, (one) => (covers(one, link) ? `"${bridge}"` : one));
  const there = new Set(of(bridge).map((element) => renamed(element, bridge)));
  return of(nic)
    .filter((element) => !there.has(renamed(element, nic)))
    .map((element) => renamed(element, nic) + element.slice(key(element).length));
}

const namedIn = ({ elements }: NamedSet, nic: string): string =>
  elements.flatMap((element) => element.match(/"[^"]*"/g) ?? []).find((one) => covers(one, nic)) ?? nic;

/** A set of indices takes no bridge that is not there yet. */
const withoutIndex = (
  rule: string,
  bridge: string,
): { readonly text: string; readonly replaces: boolean } | undefined => {
  if (!/\b[io]if (?:!= )?@/.test(rule)) return undefined;
  const text = rule.replace(/\b([io])if (!= )?@\S+/, (all: string, way: string, not?: string) =>
    not === undefined ? `${way}ifname "${bridge}"` : `${way}ifname != "${bridge}" ${all}`,
  );
  return { text, replaces: / != /.test(rule) };
};

/** `iif` holds the index of a link that has to be there. */
const byName = (rule: string): string => rule.replaceAll(/\b([io])if\b/g, '$1ifname');

/** nft prints the elements of a set in an order of its own. */
const normal = (rule: string): string =>
  byName(rule).replaceAll(/\{([^}]*)\}/g, (_, inside: string) =>
    inside
      .split(',')
      .map((one) => one.trim())
      .sort()
      .join(),
  );

const MATCH = /\b([io]ifname) (!= )?("[^"]*"|(?:vmap )?\{[^}]*\})/g;

/** `replaces`: all others are meant, so that a second rule would be no help. undefined: it is for both, or for neither. */
function forBridge(
  rule: string,
  nic: string,
  bridge: string,
): { readonly text: string; readonly replaces: boolean } | undefined {
  const plain = byName(rule);
  const isNamed = (quoted: readonly string[], link: string): boolean =>
    quoted.some((one) => covers(one, link));
  let [copied, excepted] = [false, false];
  const text = plain.replaceAll(MATCH, (all: string, key: string, not: string | undefined, what: string) => {
    const quoted = what.match(/"[^"]*"/g) ?? [];
    if (!isNamed(quoted, nic) || isNamed(quoted, bridge)) return all;
    if (not !== undefined) {
      excepted = true;
      return `${key} != { ${[...quoted, `"${bridge}"`].join(', ')} }`;
    }
    copied = true;
    return `${key} ${what.replaceAll(/"[^"]*"/g, (one) => (covers(one, nic) ? `"${bridge}"` : one))}`;
  });
  if (copied || excepted) return { text, replaces: !copied };
  // In what is not a plain match, as `iifname . tcp dport { "eth0" . 22 }`.
  const rest = plain.replaceAll(MATCH, '').replace(/ comment "[^"]*"/, '');
  const isInRest = rest.includes(`"${nic}"`) && !rest.includes(`"${bridge}"`) && /\b[io]ifname\b/.test(rest);
  return isInRest ? { text: plain.replaceAll(`"${nic}"`, `"${bridge}"`), replaces: false } : undefined;
}

/** A name may end in a star. @param quoted with its quotation marks */
function covers(quoted: string, link: string): boolean {
  const name = quoted.slice(1, -1);
  return name.endsWith('*') ? link.startsWith(name.slice(0, -1)) : name === link;
}
