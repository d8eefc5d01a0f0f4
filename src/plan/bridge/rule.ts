/** A policy rule as `ip -j rule` shows it, and as `ip rule add` takes it. */

export interface Rule {
  readonly family: 'inet' | 'inet6';
  readonly row: Readonly<Record<string, unknown>>;
}

export const namesLink = ({ row }: Rule, link: string): boolean => row['iif'] === link || row['oif'] === link;

const KNOWN: ReadonlySet<string> = new Set([
  ...[
    'priority',
    'not',
    'src',
    'srclen',
    'dst',
    'dstlen',
    'tos',
    'fwmark',
    'fwmask',
    'iif',
    'oif',
    'ipproto',
  ],
  ...['sport', 'dport', 'sport_start', 'sport_end', 'dport_start', 'dport_end', 'uid_start', 'uid_end'],
  ...['table', 'suppress_prefixlen', 'goto', 'action', 'protocol'],
]);

/** undefined: it says something that we could lose. */
export function ruleWords({ row }: Rule, from: string, to: string): readonly string[] | undefined {
  if (Object.keys(row).some((key) => !KNOWN.has(key))) return undefined;
  const text = (key: string): string | undefined => (row[key] === undefined ? undefined : String(row[key]));
  const pair = (word: string, value: string | undefined): readonly string[] =>
    value === undefined ? [] : [word, value];
  const prefixed = (key: string, length: string): string | undefined =>
    row[length] === undefined ? text(key) : `${text(key)}/${text(length)}`;
  const range = (key: string): string | undefined =>
    row[`${key}_start`] === undefined ? text(key) : `${text(`${key}_start`)}-${text(`${key}_end`)}`;
  const mask = row['fwmask'] === undefined ? '' : `/${text('fwmask')}`;
  const link = (name: string | undefined): string | undefined => (name === from ? to : name);
  return [
    ...(row['not'] === undefined ? [] : ['not']),
    ...pair('from', prefixed('src', 'srclen')),
    ...pair('to', prefixed('dst', 'dstlen')),
    ...pair('tos', text('tos')),
    ...pair('fwmark', row['fwmark'] === undefined ? undefined : `${text('fwmark')}${mask}`),
    ...pair('iif', link(text('iif'))),
    ...pair('oif', link(text('oif'))),
    ...pair('ipproto', text('ipproto')),
    ...pair('sport', range('sport')),
    ...pair('dport', range('dport')),
    ...pair('uidrange', range('uid')),
    ...pair('priority', text('priority')),
    ...pair('protocol', text('protocol')),
    ...pair('table', text('table')),
    ...pair('suppress_prefixlength', text('suppress_prefixlen')),
    ...pair('goto', text('goto')),
    ...(row['action'] === undefined || row['action'] === 'to_tbl' ? [] : [String(row['action'])]),
  ];
}
