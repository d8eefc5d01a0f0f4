/** A NIC that a running network manager has: what it is told before the move, and after. */
import { type Argv, DEADLINE_MS, type Owns, type Step } from '../../step.ts';
import { batchText } from '../../words.ts';
import { arrivalLines, checkedLines, type Layer3 } from '../layer3.ts';

export interface Handover {
  /** Before anything is changed, so that it is taken back last: the manager has its NIC again. */
  readonly first: readonly Step[];
  /** In place of the move: the manager does all of it by itself. */
  readonly instead?: readonly Step[];
  /** After the move: the manager has the bridge. */
  readonly last: readonly Step[];
}

/** Lines for `ip -force -batch -`: what is there already is refused by the kernel, or the same once more. */
export function missingText(from: Layer3, to: string): string {
  const lasting = { ...from, addresses: from.addresses.filter(({ validS }) => validS === undefined) };
  const lines = [...arrivalLines(from, to).map(added), ...checkedLines(lasting, to)];
  return batchText(lines.map((words) => ({ words })));
}

const added = ([object, verb, ...rest]: Argv): Argv =>
  verb === 'replace' ? [object, 'add', ...rest] : [object, ...(verb === undefined ? [] : [verb]), ...rest];

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
