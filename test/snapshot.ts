/**
 * The one judge of "as before": everything of the host's network and configuration that our plans could touch,
 * as a flat list of facts. Two equal lists, same host. What is left out stands in EXCLUDED, each with its reason.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/** Fact by fact: "link br0 mtu" → "1500". */
export type Snapshot = ReadonlyMap<string, string>;

interface Exclusion {
  readonly what: RegExp;
  readonly why: string;
}

/** Matched against the key of a fact. */
export const EXCLUDED: readonly Exclusion[] = [
  { what: /^link .*_timer$/, why: 'count down by themselves' },
  { what: /^address .*(valid_life_time|preferred_life_time)$/, why: 'count down by themselves' },
  { what: /^route .* (expires|age|used|lastuse)$/, why: 'count by themselves' },
  { what: /^nft .*counter (packets|bytes)$/, why: 'count traffic' },
  { what: /^sysctl net\/netfilter\/nf_conntrack_count$/, why: 'counts traffic' },
  {
    what: /^sysctl net\/ipv4\/tcp_fastopen_key$/,
    why: 'the kernel makes one up when a server first offers TCP Fast Open, as dnsmasq does',
  },
  { what: /^sysctl net\/ipv6\/conf\/[^/]*\/(mc_)?stat/, why: 'counts traffic' },
];

const isExcluded = (key: string): boolean => EXCLUDED.some(({ what }) => what.test(key));

export interface SnapshotOptions {
  /** Directories whose files count. */
  readonly files?: readonly string[];
}

export function snapshot(options: SnapshotOptions = {}): Snapshot {
  const facts = new Map<string, string>();
  const add = (key: string, value: unknown): void => {
    if (!isExcluded(key)) facts.set(key, typeof value === 'string' ? value : JSON.stringify(value));
  };
  const links = json(['ip', '-d', '-j', 'link', 'show']).filter((link) => 'ifname' in link);
  for (const link of links) flatten(`link ${link['ifname']}`, link, add);
  for (const link of json(['ip', '-d', '-j', 'address', 'show']))
    addRows(`address ${link['ifname']}`, link['addr_info'], add);
  for (const family of ['-4', '-6']) {
    addRows(`route ${family}`, json(['ip', family, '-d', '-j', 'route', 'show', 'table', 'all']), add);
    addRows(`rule ${family}`, json(['ip', family, '-j', 'rule', 'show']), add);
  }
  addRows('neighbour', json(['ip', '-j', 'neigh', 'show', 'nud', 'permanent']), add);
  // One by one: the kernel's list of groups is a set, whose order tells only who joined first.
  for (const link of json(['ip', '-j', 'maddr', 'show']))
    addRows(`group ${link['ifname']}`, link['maddr'], add);
  for (const what of ['link', 'fdb', ...(hasVlanFiltering() ? ['vlan'] : [])])
    addRows(`bridge ${what}`, json(['bridge', '-d', '-j', what, 'show']), add);
  addRows('tc qdisc', json(['tc', '-j', 'qdisc', 'show']), add);
  for (const { ifname } of links) {
    for (const [what, ...where] of [
      ['class'],
      ['filter'],
      ['filter', 'ingress'],
      ['filter', 'egress'],
    ] as const) {
      addRows(
        `tc ${what} ${ifname} ${where}`,
        json(['tc', '-j', what, 'show', 'dev', String(ifname), ...where]),
        add,
      );
    }
  }
  const { nftables } = JSON.parse(run(['nft', '-j', 'list', 'ruleset'])) as { nftables: Row[] };
  addRows('nft', nftables, add);
  // `nft -j` leaves comments of tables out.
  add('nft text', run(['nft', '-s', 'list', 'ruleset']));
  addTree('/proc/sys/net', (path) => add(`sysctl ${path.slice('/proc/sys/'.length)}`, readOrWhyNot(path)));
  // Absent in a kernel that can load none.
  const modules = existsSync('/proc/modules') ? readFileSync('/proc/modules', 'utf8').split('\n') : [];
  add('modules', modules.map((line) => line.split(' ')[0]).sort());
  for (const root of options.files ?? ['/etc']) {
    add(`file ${root}`, fileFact(root));
    addTree(root, (path) => add(`file ${path}`, fileFact(path)), true);
  }
  return facts;
}

/** Lines "- was" and "+ is"; empty when nothing differs. */
export function differences(before: Snapshot, after: Snapshot): readonly string[] {
  const keys = [...new Set([...before.keys(), ...after.keys()])].sort();
  return keys.flatMap((key) => {
    const [was, is] = [before.get(key), after.get(key)];
    if (was === is) return [];
    return [
      ...(was === undefined ? [] : [`- ${key}: ${was}`]),
      ...(is === undefined ? [] : [`+ ${key}: ${is}`]),
    ];
  });
}

type Row = Record<string, unknown>;
type Add = (key: string, value: unknown) => void;

const run = ([program = '', ...args]: readonly string[]): string =>
  execFileSync(program, args, {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 1 << 26,
  });

/** A kernel without CONFIG_BRIDGE_VLAN_FILTERING refuses even to list. */
function hasVlanFiltering(): boolean {
  return !spawnSync('bridge', ['-d', '-j', 'vlan', 'show'], { encoding: 'utf8' }).stderr.includes(
    'not supported',
  );
}

/** `tc` prints nothing where it has nothing to say. */
function json(argv: readonly string[]): readonly Row[] {
  const text = run(argv).trim() || '[]';
  // `tc -j class show` (iproute2 6.1) writes the classes of a qdisc that has none of its own, as tbf, as plain text.
  if (!/^[[{]/.test(text)) return text.split('\n').map((line) => ({ line }));
  const rows: unknown = JSON.parse(text);
  return (Array.isArray(rows) ? rows : [rows]) as Row[];
}

function flatten(key: string, value: unknown, add: Add): void {
  const isLeaf =
    typeof value !== 'object' ||
    value === null ||
    (Array.isArray(value) && value.every((one) => typeof one !== 'object'));
  if (isLeaf) add(key, value ?? 'null');
  else for (const [name, part] of Object.entries(value)) flatten(`${key} ${name}`, part, add);
}

/** Rows without a name of their own: what tells them apart is all that does not count by itself. */
function addRows(key: string, rows: unknown, add: Add): void {
  const seen = new Map<string, number>();
  for (const row of Array.isArray(rows) ? (rows as unknown[]) : []) {
    const parts: string[] = [];
    flatten(key, row, (name, value) => {
      if (!isExcluded(name)) parts.push(`${name.slice(key.length + 1)}=${JSON.stringify(value)}`);
    });
    const text = parts.join(' ');
    const times = (seen.get(text) ?? 0) + 1;
    seen.set(text, times);
    add(`${key} [${text}]`, `${times}`);
  }
}

function addTree(directory: string, visit: (path: string) => void, directoriesToo: boolean = false): void {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (directoriesToo || !entry.isDirectory()) visit(path);
    if (entry.isDirectory()) addTree(path, visit, directoriesToo);
  }
}

function readOrWhyNot(path: string): string {
  try {
    return readFileSync(path, 'utf8').trimEnd();
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unreadable';
  }
}

function fileFact(path: string): string {
  const stat = lstatSync(path);
  const rights = `${stat.mode.toString(8)} ${stat.uid}:${stat.gid}`;
  if (stat.isSymbolicLink()) return `${rights} -> ${readlinkSync(path)}`;
  return stat.isFile()
    ? `${rights} ${createHash('sha256').update(readFileSync(path)).digest('hex')}`
    : rights;
}
