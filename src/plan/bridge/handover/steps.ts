/** A NIC that a running network manager has: what it is told before the move, and after. */
import { type Argv, DEADLINE_MS, type Owns, type Step } from '../../step.ts';
import { batchText } from '../../words.ts';
import { arrivalLines, checkedLines, type Layer3 } from '../layer3.ts';

export interface Handover {
  /** So long the manager may take, in seconds. */
  readonly withinS: number;
  /** Before anything is changed, so that it is taken back last: the manager has its NIC again. */
  readonly first: readonly Step[];
  /** In place of the move: the manager does all of it by itself. */
  readonly instead?: readonly Step[];
  /** After the move: the manager has the bridge. */
  readonly last: readonly Step[];
}

/** The titles of the steps whose undo waits until the manager has its NIC again; their stdin is missingText(). */
export const lookTitles = (nic: string): readonly string[] =>
  ['NetworkManager', 'systemd-networkd'].map((manager) => lookTitle(manager, nic));
export const lookTitle = (manager: string, nic: string): string => `see what ${manager} says of ${nic}`;

/** Lines for `ip -force -batch -`: what is there already is refused by the kernel, or the same once more. */
export function missingLines(from: Layer3, to: string): readonly Argv[] {
  const lasting = { ...from, addresses: from.addresses.filter(({ validS }) => validS === undefined) };
  return [...arrivalLines(from, to).map(added), ...checkedLines(lasting, to)];
}

export const missingText = (from: Layer3, to: string): string =>
  batchText(missingLines(from, to).map((words) => ({ words })));

const added = ([object, verb, ...rest]: Argv): Argv =>
  verb === 'replace' ? [object, 'add', ...rest] : [object, ...(verb === undefined ? [] : [verb]), ...rest];

const LEASED = /^address (?:add|replace) (\S+)\/\d+ .*\bvalid_lft (\d+) preferred_lft (\d+)/gm;

/**
 * On a bridge of networkd's a lease is kept for ever; what it was before is in the lines of the way back. One of another
 * address since then is one of as long.
 * @param leased the address of the lease that the bridge has now
 */
export function leasedAsIn(lines: string, now: Layer3, leased?: string): Layer3 {
  const before = new Map(
    [...lines.matchAll(LEASED)].map(([, local = '', validS, preferredS]) => [
      local,
      { validS: Number(validS), preferredS: Number(preferredS) },
    ]),
  );
  const usual = [...before].find(([local]) => !local.includes(':'))?.[1];
  const addresses = now.addresses.map((one) =>
    one.validS === undefined
      ? { ...one, ...(before.get(one.local) ?? (one.local === leased ? usual : undefined)) }
      : one,
  );
  return { ...now, addresses };
}

export const look = (
  title: string,
  argv: Argv,
  undo: Step['undo'],
  owns: Owns,
  deadlineMs: number,
): Step => ({
  ...{ title, do: { run: argv }, undo, owns, deadlineMs },
});

export const tell = (title: string, argv: Argv, why: string, deadlineMs: number = DEADLINE_MS): Step => ({
  ...{ title, do: { run: argv }, undo: { nothing: why }, deadlineMs },
});

/**
 * A function for sh that gives an address the metric of its prefix route again, which networkd forgets of one that it
 * did not make itself (systemd 252: seen). Its lifetimes stay as they are now.
 */
export const METRIC_AGAIN: string = [
  'metric_again() { # LINK [ADDRESS/PREFIX METRIC]…',
  '  link=$1',
  '  shift',
  '  while [ $# -gt 0 ]; do',
  '    now=$(ip -4 -o address show dev "$link" to "${1%/*}")',
  '    valid=${now##*valid_lft } preferred=${now##*preferred_lft }',
  '    valid=${valid%% *} preferred=${preferred%% *}',
  '    case $now in',
  `      '' | *" metric $2 "*) ;;`,
  '      *) ip address change "$1" dev "$link" metric "$2" valid_lft "${valid%sec}" preferred_lft "${preferred%sec}" ;;',
  '    esac',
  '    shift 2',
  '  done',
  '}',
].join('\n');

/** Its words behind the link. */
export const metricsOf = ({ addresses }: Layer3): readonly string[] =>
  addresses.flatMap(({ family, local, prefixlen, metric }) =>
    family === 'inet' && metric !== undefined ? [`${local}/${prefixlen}`, String(metric)] : [],
  );

/** Functions for sh over those lines, in $batch: all addresses but link-local ones, and of these the leased ones. */
export const OWN: string = [
  'own() {',
  `  printf '%s\\n' "$batch" | while read -r what verb address rest; do`,
  '    case "$what $verb $address" in',
  `      'address add fe80:'*) ;;`,
  `      'address add '*) printf '%s ' "\${address%/*}" ;;`,
  '    esac',
  '  done',
  '}',
  'leased() {',
  `  printf '%s\\n' "$batch" | while read -r what verb address rest; do`,
  '    case $address in *:*) continue ;; esac',
  '    case "$what $verb $rest" in',
  `      'address add '*' valid_lft '*) printf '%s ' "\${address%/*}" ;;`,
  '    esac',
  '  done',
  '}',
].join('\n');
