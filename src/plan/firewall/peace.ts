/**
 * Another firewall of this host drops what our guests need: an `accept` of ours can not undo somebody's `drop` (nft(8)),
 * so it is opened in its own words, for as long as the network runs.
 */
import type { DefinedNetwork } from '../nat/defined.ts';
import type { Argv, Owns, Step } from '../step.ts';
import { DEADLINE_MS } from '../step.ts';
import { type Flow, flowsOf, type Surroundings } from './flows.ts';
import type { Chain } from './ruleset.ts';
import { type Drop, dropsOf } from './verdict.ts';

export interface FirewallFacts extends Surroundings {
  readonly chains: readonly Chain[];
  /** Of iptables, ufw, firewall-cmd: those that are there. */
  readonly tools: readonly string[];
  /** Of a firewalld that runs. */
  readonly zones: readonly string[];
}

/** One chain that drops something. */
export interface Obstacle {
  readonly owner: string;
  /** "ip filter FORWARD" */
  readonly chain: string;
  /** What it keeps from passing. */
  readonly what: readonly string[];
  /** "its policy drop", or the rule. */
  readonly because: string;
  readonly drop: Drop;
}

export function obstaclesOf(network: DefinedNetwork, facts: FirewallFacts): readonly Obstacle[] {
  const found = new Map<Chain, { drop: Drop; flows: Flow[] }>();
  for (const flow of flowsOf(network, facts))
    for (const drop of dropsOf(facts.chains, flow.hook, flow.packet)) {
      const entry = found.get(drop.chain) ?? { drop, flows: [] };
      entry.flows.push(flow);
      found.set(drop.chain, entry);
    }
  return [...found.values()].map(({ drop, flows }) => ({
    owner: ownerOf(drop, facts),
    chain: nameOf(drop.chain),
    what: flows.map(({ what }) => what),
    because: drop.rule === undefined ? 'by its policy' : `by the rule "${drop.rule}" of ${drop.in}`,
    drop,
  }));
}

/** "Docker drops in ip filter FORWARD by its policy: guests reach out, answers come back to guests" */
export const renderObstacle = ({ owner, chain, what, because }: Obstacle): string =>
  `${owner} drops in ${chain} ${because}: ${what.join(', ')}`;

const nameOf = ({ family, table, name }: Chain): string => `${family} ${table} ${name}`;

function ownerOf({ chain }: Drop, { chains }: FirewallFacts): string {
  const beside = chains.filter(({ family, table }) => family === chain.family && table === chain.table);
  const has = (start: string): boolean => beside.some(({ name }) => name.startsWith(start));
  if (chain.table === 'firewalld') return 'firewalld';
  if (chain.rules.some((rule) => /jump ufw6?-/.test(rule))) return 'ufw';
  if (chain.hook === 'forward' && has('DOCKER-USER')) return 'Docker';
  if (has('nixos-fw')) return 'NixOS';
  return `the table ${chain.family} ${chain.table}`;
}

/** @param owns proves that the network is ours, while it is there */
export function peaceSteps(
  network: DefinedNetwork,
  facts: FirewallFacts,
  mark: string,
  owns: Owns,
): readonly Step[] {
  const obstacles = obstaclesOf(network, facts);
  const of = (owner: string): boolean => obstacles.some((one) => one.owner === owner);
  const bridge = network.bridge.name;
  const { tools, zones } = facts;
  const wanted = network.bridge.zone;
  const hasIPv6 = network.ips.some(({ address }) => address.family === 6);
  const step = (title: string, run: Argv, undo: Argv, gone: readonly string[], durable?: true): Step => ({
    title,
    do: { run },
    undo: { run: undo, gone },
    owns,
    deadlineMs: DEADLINE_MS,
    ...(durable === true ? { durable } : {}),
  });
  const byUfw = tools.includes('ufw') && of('ufw');
  const byZone =
    tools.includes('firewall-cmd') && zones.length > 0 && (of('firewalld') || wanted !== undefined);
  const rest = obstacles.filter(
    ({ owner }) => !(byUfw && owner === 'ufw') && !(byZone && owner === 'firewalld'),
  );
  return [
    ...(byUfw
      ? ufwRules(bridge, hasIPv6)
          .filter(([kind]) =>
            obstacles.some(({ owner, drop }) => owner === 'ufw' && UFW_HOOK[kind] === drop.chain.hook),
          )
          .map((rule) =>
            step(
              `let ufw allow ${rule.join(' ')}`,
              ['ufw', ...allow(rule)],
              ['ufw', '--force', ...deletion(rule)],
              ['Could not delete non-existent rule'],
              true,
            ),
          )
      : []),
    ...(byZone ? [zoneStep(bridge, wanted ?? usualZone(zones), step)] : []),
    ...rest.flatMap(({ owner, drop: { chain } }) =>
      rulesFor(chain, bridge, owner, hasIPv6).map((rule) => insertion(rule, mark, facts, step)),
    ),
  ];
}

type MakeStep = (title: string, run: Argv, undo: Argv, gone: readonly string[], durable?: true) => Step;

/** libvirt's zone, where it is installed, is made for this; `trusted` is the one every firewalld has. */
const usualZone = (zones: readonly string[]): string => (zones.includes('libvirt') ? 'libvirt' : 'trusted');

function zoneStep(bridge: string, zone: string, step: MakeStep): Step {
  const change = (verb: string): Argv => ['firewall-cmd', `--zone=${zone}`, `--${verb}-interface=${bridge}`];
  return step(`put ${bridge} into firewalld's zone ${zone}`, change('change'), change('remove'), [
    'UNKNOWN_INTERFACE',
    'NOT_ENABLED',
    'FirewallD is not running',
  ]);
}

type UfwRule = readonly ['in' | 'out' | 'route', ...string[]];

const UFW_HOOK = { in: 'input', out: 'output', route: 'forward' } as const;

/** What passes on to others is decided by our own table, which lets less pass. */
function ufwRules(bridge: string, hasIPv6: boolean): readonly UfwRule[] {
  return [
    ['in', 'on', bridge, 'to', 'any', 'port', '67', 'proto', 'udp'],
    ...(hasIPv6 ? [['in', 'on', bridge, 'to', 'any', 'port', '547', 'proto', 'udp'] as const] : []),
    ['in', 'on', bridge, 'to', 'any', 'port', '53'],
    ['out', 'on', bridge],
    ['route', 'in', 'on', bridge],
    ['route', 'out', 'on', bridge],
  ];
}

function allow([kind, ...words]: UfwRule): readonly string[] {
  return kind === 'route' ? ['route', 'allow', ...words] : ['allow', kind, ...words];
}

function deletion([kind, ...words]: UfwRule): readonly string[] {
  return kind === 'route' ? ['route', 'delete', 'allow', ...words] : ['delete', 'allow', kind, ...words];
}

interface OpenRule {
  readonly chain: Pick<Chain, 'family' | 'table' | 'name'>;
  readonly dir: 'in' | 'out';
  readonly bridge: string;
  readonly proto?: 'udp' | 'tcp' | 'icmpv6';
  readonly dport?: number;
}

function rulesFor(chain: Chain, bridge: string, owner: string, hasIPv6: boolean): readonly OpenRule[] {
  const name = owner === 'Docker' ? 'DOCKER-USER' : chain.name;
  const into = { family: chain.family, table: chain.table, name };
  if (chain.hook === 'output') return [{ chain: into, dir: 'out', bridge }];
  if (chain.hook === 'forward')
    return [
      { chain: into, dir: 'in', bridge },
      { chain: into, dir: 'out', bridge },
    ];
  return [
    ...(chain.family === 'ip6' ? [] : [{ chain: into, dir: 'in', bridge, proto: 'udp', dport: 67 } as const]),
    ...(chain.family === 'ip' || !hasIPv6
      ? []
      : ([
          { chain: into, dir: 'in', bridge, proto: 'udp', dport: 547 },
          { chain: into, dir: 'in', bridge, proto: 'icmpv6' },
        ] as const)),
    { chain: into, dir: 'in', bridge, proto: 'udp', dport: 53 },
    { chain: into, dir: 'in', bridge, proto: 'tcp', dport: 53 },
  ];
}

/** `$1` family, `$2` table, `$3` chain, `$4` the comment of the rules to delete. */
export const DELETE_RULES: string = [
  'nft -a list chain "$1" "$2" "$3" 2>/dev/null | grep -F " comment \\"$4\\" " | sed -n "s/.* # handle \\([0-9]*\\)$/\\1/p" |',
  'while read -r handle; do nft delete rule "$1" "$2" "$3" handle "$handle" || exit 1; done',
].join('\n');

/** They come together, in one package. */
const LEGACY: Readonly<Record<string, string>> = { ip: 'iptables', ip6: 'ip6tables' };

function insertion(rule: OpenRule, mark: string, { tools }: FirewallFacts, step: MakeStep): Step {
  const {
    chain: { family, table, name },
    dir,
    bridge,
    proto,
    dport,
  } = rule;
  const port = dport === undefined ? (proto === undefined ? '' : `, ${proto}`) : `, ${proto} port ${dport}`;
  const title = `let ${family} ${table} ${name} accept what ${dir === 'in' ? 'comes from' : 'goes to'} ${bridge}${port}`;
  // iptables-nft reads nft's own match of a port as none (1.8.9): its tables get its own words.
  const program = LEGACY[family];
  if (table === 'filter' && program !== undefined && /^[A-Z-]+$/.test(name) && tools.includes('iptables')) {
    const words = [
      name,
      ...[dir === 'in' ? '-i' : '-o', bridge],
      ...(proto === undefined ? [] : ['-p', proto]),
      ...(dport === undefined ? [] : ['--dport', `${dport}`]),
      ...['-m', 'comment', '--comment', mark, '-j', 'ACCEPT'],
    ];
    const gone = ['does a matching rule exist', 'No chain/target/match'];
    return step(title, [program, '-w', '-I', ...words], [program, '-w', '-D', ...words], gone);
  }
  const match = [
    ...[dir === 'in' ? 'iifname' : 'oifname', `"${bridge}"`],
    ...(proto === undefined
      ? []
      : dport === undefined
        ? ['meta', 'l4proto', proto]
        : [proto, 'dport', `${dport}`]),
  ];
  const where = [family, table, name] as const;
  const comment = `${mark}/${dir}${proto ?? ''}${dport ?? ''}`;
  return step(
    title,
    ['nft', 'insert', 'rule', ...where, ...match, 'counter', 'accept', 'comment', `"${comment}"`],
    ['/bin/sh', '-c', DELETE_RULES, 'delete-rules', ...where, comment],
    [],
  );
}
