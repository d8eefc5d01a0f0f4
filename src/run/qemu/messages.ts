/**
 * QEMU's messages, and what is behind them. QEMU's own words are never replaced: cause and cure go under them.
 */
import { EXIT, QlaunchError } from '../../errors.ts';
import { shellWord } from '../../plan/shell.ts';
import { bridgeHelperMessages } from './messages/bridge-helper.ts';
import { diskMessages } from './messages/disk.ts';
import { kvmMessages } from './messages/kvm.ts';
import { sortOwnErrors } from './messages/own-error.ts';
import { processMessages } from './messages/process.ts';
import type { MessageRow } from './messages/row.ts';
import { tapMessages } from './messages/tap.ts';
import { userNetMessages } from './messages/user-net.ts';
import { vfioMessages } from './messages/vfio.ts';

/** The first row that matches a line counts, so the narrow ones come first in each table. */
export const MESSAGES: readonly MessageRow[] = [
  ...bridgeHelperMessages,
  ...userNetMessages,
  ...tapMessages,
  ...kvmMessages,
  ...vfioMessages,
  ...diskMessages,
  ...processMessages,
];

export interface Explanation {
  /** QEMU's line, without time stamp. */
  readonly words: string;
  readonly cause: string;
  readonly cure: readonly string[];
  readonly check?: string;
}

/** Every known message in QEMU's stderr, each kind once, in the order of its lines. */
export function explain(stderr: string): Explanation[] {
  const facts = contextOf(stderr);
  const found = new Map<MessageRow, Explanation>();
  for (const words of ownWords(stderr)) {
    const row = MESSAGES.find(({ pattern }) => pattern.test(words));
    if (!row || found.has(row)) continue;
    const groups = { ...facts, ...namesIn(words), ...matched(row.pattern, words) };
    const cause = filled(row.cause, groups, (value) => value) ?? row.cause;
    const cure = row.cure.flatMap((text) => filled(text, groups, pasted) ?? []);
    const { check } = row;
    const explained = { words, cause, cure };
    found.set(row, check === undefined ? explained : { ...explained, check });
  }
  return [...found.values()];
}

/** QEMU's lines without time stamps (`-msg timestamp=on`) and without noise that explains nothing. */
export function ownWords(stderr: string): string[] {
  return stderr
    .split(/\r?\n/)
    .map((line) =>
      line.replace(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z (?:\S+ (?=\S*qemu\S*: ))?/, '').trimEnd(),
    )
    .filter((line) => line !== '' && !/^qemu: module \S+ not found, do you want to install/.test(line));
}

function matched(pattern: RegExp, line: string): Record<string, string> {
  const groups = Object.entries(pattern.exec(line)?.groups ?? {});
  // A group of an alternative that did not match has no value.
  return Object.fromEntries(groups.filter(([, value]) => value !== undefined));
}

const USER = '$USER';

/** Ready for a shell, which fills in who pastes it. */
const pasted = (value: string): string => (value === USER ? value : shellWord(value));

/** undefined when a value is not known. */
function filled(
  text: string,
  groups: Readonly<Record<string, string>>,
  quote: (value: string) => string,
): string | undefined {
  let known = true;
  const result = text.replace(/\$<(\w+)>/g, (_, name: string) => {
    const value = groups[name];
    known &&= value !== undefined;
    return quote(value ?? '');
  });
  return known ? result : undefined;
}

/** QEMU quotes the option that failed: the names in it make the cures ready to paste. */
function contextOf(stderr: string): Record<string, string> {
  return {
    bridge: 'br0',
    ifname: 'tap0',
    helper: '/usr/lib/qemu/qemu-bridge-helper',
    user: USER,
    ...namesIn(stderr),
  };
}

function namesIn(text: string): Record<string, string> {
  const named: Readonly<Record<string, RegExp>> = {
    bridge: /[, ]br=([^,:\s]+)/,
    ifname: /[, ]ifname=([^,:\s]+)/,
    helper: /[, ]helper=((?:,,|[^,:])+)/,
    image: /(?:[, ]file=((?:,,|[^,])+)|using the image \[(.+)\]\?$)/m,
  };
  return Object.fromEntries(
    Object.entries(named).flatMap(([name, pattern]) => {
      const [, option, plain] = pattern.exec(text) ?? [];
      const value = option?.replaceAll(',,', ',') ?? plain;
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

export interface QemuEnd {
  readonly status: number | null;
  /** SIGABRT, … or null. */
  readonly signal: string | null;
}

const DOCTOR = 'qlaunch doctor   # looks at this, and at all else that a VM needs';

const SCRIPT_FAILED = /network script .* failed with status \d+$/;

/** How many of QEMU's lines are worth showing. */
const MAX_LINES = 12;

/** The error for a QEMU that ended by itself before it was ready, or while it ran. */
export function qemuFailed(stderr: string, end: QemuEnd, what = 'QEMU did not start'): QlaunchError {
  const hook = sortOwnErrors(ownWords(stderr));
  // Our own hook has said why it ended so.
  const explanations = explain(stderr).filter(({ words }) => !hook.isOurs || !SCRIPT_FAILED.test(words));
  const words = hook.words.slice(-MAX_LINES);
  const ended = end.signal === null ? `it ended with status ${end.status ?? '?'}` : `${end.signal} ended it`;
  const bySignal = end.signal === null ? undefined : SIGNALS[end.signal];
  return new QlaunchError('QL_QEMU_FAILED', EXIT.host, {
    what,
    why: [
      ...(words.length > 0 ? words : [`${ended}, without a word`]),
      ...explanations.map(({ cause }) => cause),
      ...(explanations.length === 0 && bySignal ? [bySignal] : []),
    ],
    todo: [
      ...hook.todo,
      ...explanations.flatMap(({ cure }) => cure),
      ...(explanations.some(({ check }) => check !== undefined) ? [DOCTOR] : []),
    ],
  });
}

/** What a signal alone tells. */
const SIGNALS: Readonly<Record<string, string>> = {
  SIGSYS:
    'a system call that -sandbox forbids (up to 8.2, spawn=deny kills QEMU when a script or helper is to be run)',
  SIGABRT: 'QEMU found itself in a state that should not be, and aborted',
  SIGSEGV: 'QEMU crashed',
  SIGKILL: 'somebody killed it, or the kernel did when memory ran out: dmesg | tail',
};
