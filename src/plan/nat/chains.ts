/** Chains of our own in the tables of iptables: made, counted and taken back under names that nobody else has. */
import { DEADLINE_MS, type Step } from '../step.ts';

/** What iptables-save and ip6tables-save print; undefined: only root may ask. */
export interface Saved {
  readonly 4?: string;
  readonly 6?: string;
}

export type Family = 4 | 6;

/** What iptables-save prints of one table. Others have chains of the same name: FORWARD is in mangle as well. */
export function savedTable(saved: string, table: OwnChain['table']): string {
  const [, part = ''] = new RegExp(`^\\*${table}\\n([\\s\\S]*?)^COMMIT$`, 'm').exec(saved) ?? [];
  return part;
}

const PROGRAMS = { 4: 'iptables', 6: 'ip6tables' } as const;

export interface OwnChain {
  readonly table: 'raw' | 'mangle' | 'filter' | 'nat';
  /** Together with the prefix and a dash at most 28 bytes (XT_EXTENSION_MAXNAMELEN 29 in linux/netfilter/x_tables.h). */
  readonly name: string;
  readonly hook: 'PREROUTING' | 'INPUT' | 'FORWARD' | 'OUTPUT' | 'POSTROUTING';
  /** Of the jump in the chain of that hook, from 1. */
  readonly at: number;
  /** Their words behind `-A CHAIN`. */
  readonly rules: readonly string[];
}

/** For `iptables-restore --noflush`. Each table in one go; refused where such a chain is there already. */
function renderRestore(prefix: string, chains: readonly OwnChain[], mark: string): string {
  const used = chains.filter(({ rules }) => rules.length > 0);
  const tables = [...new Set(used.map(({ table }) => table))];
  const lines = tables.flatMap((table) => {
    const own = used.filter((chain) => chain.table === table);
    return [
      `*${table}`,
      ...own.flatMap(({ name, rules }) => [
        `-N ${prefix}-${name}`,
        ...rules.map((rule) => `-A ${prefix}-${name} ${rule}`),
      ]),
      ...own.map(
        ({ hook, at, name }) => `-I ${hook} ${at} -m comment --comment "${mark}" -j ${prefix}-${name}`,
      ),
      'COMMIT',
    ];
  });
  return [...lines, ''].join('\n');
}

/** `$1` "iptables" or "ip6tables", `$2` the prefix: jumps to such chains go, then they. */
const DELETE_CHAINS: string = [
  'saved=$("$1-save") || exit 1',
  'printf "%s\\n" "$saved" | awk -v own="$2-" \'',
  '  /^\\*/ { print; n = 0 }',
  '  index($1, ":" own) == 1 { chains[n++] = substr($1, 2) }',
  '  /^-A / && $(NF - 1) == "-j" && index($NF, own) == 1 { sub(/^-A/, "-D"); print }',
  '  /^COMMIT/ { for (i = 0; i < n; i++) print "-F " chains[i] "\\n-X " chains[i]; print }',
  '\' | "$1-restore" --noflush -w',
].join('\n');

/** @param prefix last of its undo, by which a step is found again in a journal */
export function restoreStep(
  title: string,
  family: Family,
  prefix: string,
  chains: readonly OwnChain[],
  mark: string,
): Step {
  const program = PROGRAMS[family];
  return {
    title: `${title} by ${program}`,
    do: { run: [`${program}-restore`, '--noflush', '-w'], stdin: renderRestore(prefix, chains, mark) },
    undo: { run: ['/bin/sh', '-c', DELETE_CHAINS, 'delete-chains', program, prefix], gone: [] },
    owns: { itself: `only chains that begin with ${prefix}- are deleted` },
    deadlineMs: DEADLINE_MS,
  };
}

/**
 * The same for chains in more tables than one, each of which takes effect alone: one that is refused ends the change with
 * those before it in the journal. The first takes all of them back.
 */
export function restoreSteps(
  ...[title, family, prefix, chains, mark]: Parameters<typeof restoreStep>
): readonly Step[] {
  const tables = [...new Set(chains.filter(({ rules }) => rules.length > 0).map(({ table }) => table))];
  return tables.map((table, nth) => {
    const own = chains.filter((chain) => chain.table === table);
    const step = restoreStep(`${title} in the table ${table}`, family, prefix, own, mark);
    return nth === 0 ? step : { ...step, undo: { nothing: `goes with the table ${tables[0]}` } };
  });
}

/**
 * `$1` and `$2` as above. To the new text on stdin is added, in each of its tables, that what is left goes first: a table
 * that is refused stays as it was.
 */
const REMAKE_CHAINS: string = [
  'saved=$("$1-save") || exit 1',
  '{ printf "%s\\n" "$saved" =new; cat; } | awk -v own="$2-" \'',
  '  /^=new$/ { new = 1; next }',
  '  /^\\*/ { table = $1 }',
  '  new { print }',
  '  new && /^\\*/ { printf "%s%s", jumps[table], chains[table] }',
  '  new { next }',
  '  index($1, ":" own) == 1 { name = substr($1, 2); chains[table] = chains[table] "-F " name "\\n-X " name "\\n" }',
  '  /^-A / && $(NF - 1) == "-j" && index($NF, own) == 1 { sub(/^-A/, "-D"); jumps[table] = jumps[table] $0 "\\n" }',
  '\' | "$1-restore" --noflush -w',
].join('\n');

/** What a step of restoreStep() makes, in the place of what is left of it. */
export function again(step: Step): Step {
  const { do: action, undo } = step;
  if (!('run' in undo && 'run' in action)) return step;
  return {
    ...step,
    do: { ...action, run: ['/bin/sh', '-c', REMAKE_CHAINS, 'remake-chains', ...undo.run.slice(4)] },
  };
}

/** Whether they are there, as restoreStep() makes them: iptables-save prints each rule on a line, and each jump. */
export function isWhole(
  chains: readonly OwnChain[],
  prefix: string,
  saved: string,
): 'there' | 'empty' | 'missing' {
  const counts = chains.map(({ rules }) => (rules.length === 0 ? 0 : rules.length + 1));
  const wanted = counts.reduce((sum, count) => sum + count, 0);
  const found = saved
    .split('\n')
    .filter((line) => line.startsWith(`-A ${prefix}-`) || line.includes(` -j ${prefix}-`)).length;
  return found === wanted ? 'there' : found === 0 ? 'missing' : 'empty';
}
