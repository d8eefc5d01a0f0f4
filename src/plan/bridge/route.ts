/** A route as `ip -d -j route show table all` shows it (iproute2 6.1), and as `ip route replace` takes it. */
import { type Cidr, formatCidr, parseCidr } from '../../spec/cidr.ts';
import { isProblem } from '../../spec/raw.ts';
import type { LinkAddress } from './address.ts';

export interface Route {
  readonly family: 'inet' | 'inet6';
  readonly row: Readonly<Record<string, unknown>>;
}

type Words = { readonly words: readonly string[] } | { readonly problem: string };

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const rows = (value: unknown): readonly Readonly<Record<string, unknown>>[] =>
  Array.isArray(value) ? value.filter(isRecord) : [];

/** Not those of the local table, which the kernel keeps by itself. */
export function usesLink({ row }: Route, link: string): boolean {
  if (row['table'] === 'local' || row['type'] === 'multicast') return false;
  return row['dev'] === link || rows(row['nexthops']).some((hop) => hop['dev'] === link);
}

/** The kernel makes it along with an address, unless that has noprefixroute (then somebody made it himself). */
export function isOfAddress({ family, row }: Route, addresses: readonly LinkAddress[]): boolean {
  if (row['protocol'] !== 'kernel' || 'gateway' in row || 'nexthops' in row) return false;
  const usual = family === 'inet' ? 0 : 256;
  return addresses.some(
    (one) =>
      one.family === family &&
      !one.flags.includes('noprefixroute') &&
      prefixOf(one) === prefixText(String(row['dst'])) &&
      (one.metric ?? usual) === (row['metric'] ?? 0),
  );
}

const prefixOf = ({ local, peer, prefixlen }: LinkAddress): string =>
  prefixText(`${peer ?? local}/${prefixlen}`);

function prefixText(text: string): string {
  const cidr: Cidr | ReturnType<typeof parseCidr> = parseCidr(
    text.includes('/') ? text : `${text}/${text.includes(':') ? 128 : 32}`,
    '',
  );
  return isProblem(cidr) ? text : formatCidr(cidr);
}

const TEXTS: readonly (readonly [key: string, word: string])[] = [
  ['tos', 'tos'],
  ['src', 'from'],
  ['table', 'table'],
  ['protocol', 'proto'],
  ['prefsrc', 'src'],
  ['metric', 'metric'],
  ['expires', 'expires'],
  ['pref', 'pref'],
];
/** Counters and remarks; a flag that is none of the configuration. */
const IGNORED: ReadonlySet<string> = new Set([
  ...['type', 'dst', 'gateway', 'via', 'dev', 'scope', 'flags', 'metrics', 'nexthops', 'weight'],
  ...['cache', 'age', 'used', 'users', 'error', 'ipid'],
]);
const STATE_FLAGS: ReadonlySet<string> = new Set([
  ...[
    'linkdown',
    'dead',
    'offload',
    'rt_offload',
    'trap',
    'rt_trap',
    'offload_failed',
    'rt_offload_failed',
    'unresolved',
  ],
]);
const METRICS: ReadonlySet<string> = new Set([
  ...['mtu', 'advmss', 'window', 'rtt', 'rttvar', 'rto_min', 'ssthresh', 'cwnd', 'initcwnd', 'initrwnd'],
  ...['reordering', 'hoplimit', 'quickack', 'congctl', 'features', 'fastopen_no_cookie'],
]);

/** Its words behind `ip route replace`, with `from` as `to`. */
export function routeWords({ family, row }: Route, from: string, to: string): Words {
  const known = new Set([...IGNORED, ...TEXTS.map(([key]) => key)]);
  const strange = Object.keys(row).find((key) => !known.has(key));
  if (strange === 'nhid') return { problem: 'uses a nexthop object, which is not moved (ip nexthop)' };
  if (strange !== undefined) return { problem: `has a "${strange}" that qlaunch does not know how to move` };
  const metrics = metricWords(row['metrics']);
  if ('problem' in metrics) return metrics;
  const dst = String(row['dst']);
  const hops = rows(row['nexthops']);
  const flags = flagWords(row['flags']);
  if ('problem' in flags) return flags;
  const words = [
    // Without -6, which a line of a batch can not have, the family is seen from the address.
    ...[typeWord(row['type']), dst === 'default' && family === 'inet6' ? '::/0' : dst].flat(),
    ...(hops.length > 0 ? [] : [...hopWords(row, from, to), ...flags.words]),
    ...TEXTS.flatMap(([key, word]) => (row[key] === undefined ? [] : [word, String(row[key])])),
    ...(family === 'inet' && row['scope'] !== undefined ? ['scope', String(row['scope'])] : []),
    ...metrics.words,
  ];
  for (const hop of hops) {
    const its = flagWords(hop['flags']);
    if ('problem' in its) return its;
    const weight = typeof hop['weight'] === 'number' ? ['weight', String(hop['weight'])] : [];
    words.push('nexthop', ...hopWords(hop, from, to), ...weight, ...its.words);
  }
  return { words };
}

const typeWord = (type: unknown): readonly string[] =>
  type === undefined || type === 'unicast' ? [] : [String(type)];

function hopWords(hop: Readonly<Record<string, unknown>>, from: string, to: string): readonly string[] {
  const via = hop['via'];
  const gateway = hop['gateway'];
  return [
    ...(typeof gateway === 'string' ? ['via', gateway] : []),
    ...(isRecord(via) ? ['via', String(via['family']), String(via['host'])] : []),
    ...(hop['dev'] === undefined ? [] : ['dev', hop['dev'] === from ? to : String(hop['dev'])]),
  ];
}

function flagWords(flags: unknown): Words {
  const all = Array.isArray(flags) ? flags.map(String) : [];
  const words = all.filter((flag) => !STATE_FLAGS.has(flag));
  const strange = words.find((flag) => flag !== 'onlink' && flag !== 'pervasive');
  return strange === undefined ? { words } : { problem: `has the flag "${strange}", which is not moved` };
}

/** One object with all of them; `"lock"` beside a name is printed as `"mtu": {…}` by no version we know. */
function metricWords(value: unknown): Words {
  const words: string[] = [];
  for (const metrics of rows(value)) {
    for (const [name, what] of Object.entries(metrics)) {
      if (!METRICS.has(name) || typeof what === 'object')
        return { problem: `has the metric "${name}", which is not moved` };
      words.push(name, String(what));
    }
  }
  return { words };
}
