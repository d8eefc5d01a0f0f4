/** Firewall rules that name a NIC: what comes in by it as a port comes in by the bridge, which they do not know. */
import type { Chain } from '../firewall/ruleset.ts';
import { shellWord } from '../shell.ts';

export interface NamingRule {
  readonly family: string;
  readonly table: string;
  readonly chain: string;
  readonly rule: string;
  /** A command line for root: the same for the bridge, at the same place. */
  readonly cure: string;
}

/** Of `nft -a list ruleset`. Those whose copy for the bridge stands right before or behind them are not among them. */
export function rulesNaming(chains: readonly Chain[], nic: string, bridge: string): readonly NamingRule[] {
  return chains.flatMap(({ family, table, name, rules, handles = [] }) =>
    rules.flatMap((rule, index) => {
      const other = forBridge(rule, nic, bridge);
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
