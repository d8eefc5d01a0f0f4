/** Rules in chains of others that accept what guests need: at the last place where they still help. */
import { type Argv, DEADLINE_MS, type Step } from '../step.ts';
import type { Flow } from './flows.ts';
import type { Chain } from './ruleset.ts';
import type { Drop, Place } from './verdict.ts';

/** `$1` family, `$2` table, `$3` chain, `$4` the comment of the rules to delete. */
export const DELETE_RULES: string = [
  'nft -a list chain "$1" "$2" "$3" 2>/dev/null | grep -F " comment \\"$4\\" " | sed -n "s/.* # handle \\([0-9]*\\)$/\\1/p" |',
  'while read -r handle; do nft delete rule "$1" "$2" "$3" handle "$handle" || exit 1; done',
].join('\n');

interface OpenRule {
  readonly chain: Pick<Chain, 'family' | 'table'>;
  readonly at: Place;
  /** iptables made it, which does not read all that nft writes. */
  readonly byIptables: boolean;
  readonly dir: 'in' | 'out';
  readonly proto?: Flow['packet']['proto'];
  readonly dport?: number;
  /** A bridge of Docker's: what goes there is not accepted, but left to Docker's own rules. */
  readonly leave?: string;
}

export interface Dropped {
  readonly flow: Flow;
  readonly drop: Drop;
}

/** @param tools of this host, "iptables" among them or not */
export function openSteps(
  dropped: readonly Dropped[],
  chains: readonly Chain[],
  bridge: string,
  mark: string,
  tools: readonly string[],
): readonly Step[] {
  const rules = new Map<string, OpenRule>();
  for (const one of dropped) {
    const rule = ruleFor(one, chains, bridge, tools);
    rules.set(JSON.stringify(rule), rule);
  }
  // The last one first: it moves none of those before it.
  const last = ({ at }: OpenRule): number => at.before ?? Number.POSITIVE_INFINITY;
  const sorted = [...rules.values()].sort((a, b) => (last(a) === last(b) ? 0 : last(b) - last(a)));
  return sorted.flatMap((rule) => pastDocker(rule, chains)).map((rule) => insertion(rule, bridge, mark));
}

function ruleFor(
  { flow: { packet }, drop }: Dropped,
  chains: readonly Chain[],
  bridge: string,
  tools: readonly string[],
): OpenRule {
  const { family, table, hook, name } = drop.chain;
  const byIptables =
    LEGACY[family] !== undefined && table === 'filter' && /^[A-Z]+$/.test(name) && tools.includes('iptables');
  const where = { chain: { family, table }, at: placeFor(drop, chains), byIptables };
  if (hook === 'output') return { ...where, dir: 'out' };
  // What passes on to others is decided by our own table, which lets less pass.
  if (hook === 'forward') return { ...where, dir: packet.iif === bridge ? 'in' : 'out' };
  const { proto, dport } = packet;
  return { ...where, dir: 'in', proto, ...(proto === 'icmpv6' ? {} : { dport }) };
}

/** Docker writes its own chains anew, and leaves DOCKER-USER to others, whose last rule is a `return` as a rule. */
export function placeFor({ chain, rule, at }: Drop, chains: readonly Chain[]): Place {
  const user = chains.find(
    ({ family, table, name }) => family === chain.family && table === chain.table && name === 'DOCKER-USER',
  );
  const isDockers = rule === undefined || at.chain.startsWith('DOCKER');
  if (chain.hook !== 'forward' || user === undefined || !isDockers || at.chain === user.name) return at;
  const end = user.rules.length - 1;
  return /^(counter )?return$/.test(user.rules[end] ?? '')
    ? { chain: user.name, before: end }
    : { chain: user.name };
}

/** Who accepts all in DOCKER-USER lets guests at ports of containers that nobody has published. Those that are, Docker accepts. */
function pastDocker(rule: OpenRule, chains: readonly Chain[]): readonly OpenRule[] {
  const { chain, at, dir, proto } = rule;
  if (at.chain !== 'DOCKER-USER' || dir === 'out' || proto !== undefined) return [rule];
  const beside = chains.filter(({ family, table }) => family === chain.family && table === chain.table);
  const left = dockerBridges(beside.flatMap(({ rules }) => rules)).map((leave) => ({ ...rule, leave }));
  // Each of these is to stand before it: who is inserted later stands first.
  return at.before === undefined ? [...left, rule] : [rule, ...left];
}

/** By the rules that Docker makes for each. @param rules as nft prints them */
const dockerBridges = (rules: readonly string[]): readonly string[] => [
  ...new Set(rules.flatMap((rule) => /^oifname "([^"]+)" (?:.* )?jump DOCKER$/.exec(rule)?.[1] ?? [])),
];

/** They come together, in one package. */
const LEGACY: Readonly<Record<string, string>> = { ip: 'iptables', ip6: 'ip6tables' };

function insertion(rule: OpenRule, bridge: string, mark: string): Step {
  const { chain, at, dir, proto, dport, leave } = rule;
  const { family, table } = chain;
  const port = dport === undefined ? (proto === undefined ? '' : `, ${proto}`) : `, ${proto} port ${dport}`;
  const what = `${dir === 'in' ? 'comes from' : 'goes to'} ${bridge}${port}`;
  const title =
    leave === undefined
      ? `let ${family} ${table} ${at.chain} accept what ${what}`
      : `leave to Docker what ${what} for ${leave}`;
  const step = (run: Argv, undo: Argv, gone: readonly string[]): Step => ({
    title,
    do: { run },
    undo: { run: undo, gone },
    // Also where the bridge is gone by then.
    owns: { itself: `only rules with the comment ${mark} are deleted` },
    deadlineMs: DEADLINE_MS,
  });
  const program = LEGACY[family];
  // iptables-nft reads nft's own match of a port as none (1.8.9): its tables get its own words.
  if (rule.byIptables && program !== undefined) {
    const words = [
      ...[dir === 'in' ? '-i' : '-o', bridge],
      ...(proto === undefined ? [] : ['-p', proto]),
      ...(dport === undefined ? [] : ['--dport', `${dport}`]),
      ...(leave === undefined ? [] : ['-o', leave]),
      ...['-m', 'comment', '--comment', mark, '-j', leave === undefined ? 'ACCEPT' : 'RETURN'],
    ];
    // It counts from 1.
    const where = at.before === undefined ? ['-A', at.chain] : ['-I', at.chain, `${at.before + 1}`];
    const gone = ['does a matching rule exist', 'No chain/target/match'];
    return step([program, '-w', ...where, ...words], [program, '-w', '-D', at.chain, ...words], gone);
  }
  const match = [
    ...[dir === 'in' ? 'iifname' : 'oifname', `"${bridge}"`],
    ...(proto === undefined
      ? []
      : dport === undefined
        ? ['meta', 'l4proto', proto]
        : [proto, 'dport', `${dport}`]),
    ...(leave === undefined ? [] : ['oifname', `"${leave}"`]),
  ];
  const comment = `${mark}/${dir}${proto ?? ''}${dport ?? ''}${leave === undefined ? '' : `/${leave}`}`;
  const verdict = leave === undefined ? 'accept' : 'return';
  return step(
    [...nftPlace(family, table, at), ...match, 'counter', verdict, 'comment', `"${comment}"`],
    ['/bin/sh', '-c', DELETE_RULES, 'delete-rules', family, table, at.chain, comment],
    [],
  );
}

/** nft(8): `insert` with an index is before that rule, `add` without one at the end. */
export const nftPlace = (family: string, table: string, { chain, before }: Place): Argv => [
  'nft',
  before === undefined ? 'add' : 'insert',
  'rule',
  family,
  table,
  chain,
  ...(before === undefined ? [] : ['index', `${before}`]),
];
