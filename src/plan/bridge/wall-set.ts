/** Named sets and maps of interfaces in other people's firewalls: `iifname @lan accept`. */
import { shellWord } from '../shell.ts';

export interface NamedSet {
  readonly family: string;
  readonly table: string;
  readonly name: string;
  /** It holds indices of links that have to be there, and not names. */
  readonly byIndex: boolean;
  /** `"eth0"`, `"eth0" . 22`, `"eth0" : jump office`; without counters and the time that is left. */
  readonly elements: readonly string[];
}

/** @param text `nft list ruleset`, with handles or without */
export function parseSets(text: string): readonly NamedSet[] {
  return text.split(/^(?=table )/m).flatMap((part) => {
    const [, family, table] = /^table (ip|ip6|inet) (\S+) \{/.exec(part) ?? [];
    if (family === undefined || table === undefined || /^\tcomment "qlaunch:/m.test(part)) return [];
    return [...part.matchAll(/^\t(?:set|map) (\S+) \{(?: # handle \d+)?\n((?:\t\t.*\n|\n)*)\t\}/gm)].map(
      ([, name = '', body = '']) => ({
        ...{ family, table, name },
        byIndex: /^\t\ttype(of)? .*\b(iface_index|[io]if)\b/m.test(body),
        elements: elementsIn(body),
      }),
    );
  });
}

function elementsIn(body: string): readonly string[] {
  const [, inside = ''] = /^\t\telements = \{((?:"[^"]*"|[^"}])*)\}/m.exec(body) ?? [];
  return [...inside.matchAll(/(?:"[^"]*"|[^",])+/g)].map(([element]) =>
    element
      .replace(/ counter packets \d+ bytes \d+/, '')
      .replace(/ expires \S+/, '')
      .replace(/ comment "[^"]*"/, '')
      .trim(),
  );
}

/** The names behind `iifname`, `!=` or `vmap`, also in what is not a plain match: `iifname . tcp dport @pairs`. */
export const setsIn = (rule: string): readonly string[] =>
  [...rule.matchAll(/\b[io]if(?:name)?\b[^"{@]*@(\S+)/g)].map(([, name = '']) => name);

/** A command line for root: the bridge is in it as well. */
export const addElements = ({ family, table, name }: NamedSet, elements: readonly string[]): string =>
  `sudo nft add element ${family} ${table} ${name} ${shellWord(`{ ${elements.join(', ')} }`)}`;
