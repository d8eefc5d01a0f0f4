/**
 * Teardown as a script for sh(1): for a waiter or a watchdog that must not need us. It asks the same questions as
 * undo-entry.ts before each step, may be run again and again, and ends with 0 when nothing is left (then it removes
 * the journal), 3 elsewhere, 4 when a tool is missing (then it has touched nothing), 6 with left-overs.
 */
import { createHash } from 'node:crypto';
import { renderPutBack } from '../../plan/render-undo.ts';
import { shellLine, shellWord } from '../../plan/shell.ts';
import type { Owns, SettledOf } from '../../plan/undo.ts';
import type { Engine } from '../engine.ts';
import type { Entry } from '../journal/entry.ts';
import { fileName, type Journal } from '../journal/journal.ts';
import { REBIND_FUNCTIONS, REBIND_TOOLS, renderRebindUndo } from './rebind-script.ts';
import { dependsOn, targetOf } from './teardown.ts';
import { renderUnshare } from './unshare-script.ts';

const FUNCTIONS = `left=0 waiting=
say() { printf '%s\\n' "$1" >&2; }
keep() { # TITLE TARGET
  left=1; waiting="$waiting|$2|"; say "left over: $1"
}
# Ownership: 0 ours, 1 gone, 2 somebody else's, 3 not known.
link_of() { # NAME MAC ALIAS MAC-BEFORE
  text=$(timeout -s KILL 10 ip -o link show dev "$1" 2>&1) || {
    case $text in *'does not exist'* | *'Cannot find device'*) return 1 ;; *) return 3 ;; esac
  }
  case $text in *": $1: <"* | *": $1@"*) ;; *) return 1 ;; esac
  [ -z "$4" ] || case $text in *"link/ether $4 "*) return 1 ;; esac
  # Where there is a mark it decides alone: a tap's user may change the address.
  [ -z "$3" ] || case $text in *"\\\\    alias $3" | *"\\\\    alias $3\\\\"*) return 0 ;; *) return 2 ;; esac
  [ -z "$2" ] || case $text in *"link/ether $2 "*) ;; *) return 2 ;; esac
}
table_of() { # FAMILY NAME COMMENT
  text=$(timeout -s KILL 10 nft list table "$1" "$2" 2>&1) || {
    case $text in *'No such file or directory'*) return 1 ;; *) return 3 ;; esac
  }
  case $text in *"	comment \\"$3\\""*) ;; *) return 2 ;; esac
}
run() { # SECONDS GONE COMMAND…; GONE: texts that mean it was gone already, one per line
  secs=$1 gone=$2; shift 2
  out=$(timeout -s KILL "$secs" "$@" 2>&1) && return 0
  while IFS= read -r text; do
    [ -z "$text" ] || case $out in *"$text"*) return 0 ;; esac
  done <<END
$gone
END
  say "$out"; return 1
}
words() { set -f; set -- $1; set +f; printf %s "$*"; }
write() { timeout -s KILL "$1" sh -c 'printf %s "$2" > "$1"' sh "$2" "$3"; }
put_back() { # SECONDS PATH VALUE EXPECT
  [ -e "$2" ] || return 0
  now=$(words "$(cat "$2")")
  [ "$now" != "$(words "$3")" ] || return 0
  [ "$now" = "$(words "$4")" ] || { say "left alone: $2 is $now"; return 0; }
  write "$1" "$2" "$3"
}
is_content() { [ -f "$1" ] && [ ! -L "$1" ] && [ "$(sha256sum < "$1")" = "$2  -" ]; }
`;

const TOOLS = [
  'base64',
  'cat',
  'chmod',
  'chown',
  'flock',
  'ip',
  'ln',
  'mv',
  'readlink',
  'rm',
  'rmdir',
  'sh',
  'sha256sum',
  'stat',
  'timeout',
  'touch',
];

export interface ScriptOptions {
  /** The host lock; waited for up to this long, then gone without when `insist`. */
  readonly lock: { readonly path: string; readonly waitSeconds: number; readonly insist: boolean };
}

/** Of what the journal holds now. Throws when a tool it needs is not on this host. */
export async function renderUndoScript(
  engine: Engine,
  journal: Journal,
  options: ScriptOptions,
): Promise<string> {
  const { head } = journal;
  const blocks: string[] = [];
  const newer: string[] = [];
  for (const entry of journal.open) {
    blocks.push(await renderEntry(entry, newer, engine));
    newer.push(targetOf(entry.undo) ?? '');
  }
  const tools = await toolPaths(engine, journal.open);
  const { lock } = options;
  const busy = lock.insist
    ? 'say "the host lock is taken: going on"'
    : '{ say "the host lock is taken"; exit 6; }';
  const journals = [engine.stores.durable, engine.stores.volatile].map((store) => ({
    path: store.path(fileName(head.id)),
    hash: hashOf(store.read(fileName(head.id))),
  }));
  return [
    '#!/bin/sh',
    `# Takes back ${oneLine(head.title)} (change ${head.id}). Made by ${head.tool}; safe to run again.`,
    // Whatever PATH we are started with, each tool is the one that was looked at when this was written.
    `PATH=${shellWord([...new Set(tools.map((tool) => tool.slice(0, tool.lastIndexOf('/'))))].join(':'))} LC_ALL=C`,
    'export PATH LC_ALL',
    `for tool in ${shellLine(tools)}; do`,
    '  [ -x "$tool" ] || { printf "%s\\n" "missing: $tool" >&2; exit 4; }',
    'done',
    // Nothing is touched from a place where the same names mean other things.
    `[ "$(readlink /proc/self/ns/net)" = ${shellWord(head.netns)} ] || { echo 'another network namespace' >&2; exit 3; }`,
    `[ "$(cat /proc/sys/kernel/random/boot_id)" = ${shellWord(head.bootId)} ] || { echo 'another boot' >&2; exit 3; }`,
    FUNCTIONS,
    ...(journal.open.some(({ undo }) => 'rebind' in undo) ? [REBIND_FUNCTIONS] : []),
    `exec 9>> ${shellWord(lock.path)} && flock -w ${lock.waitSeconds} 9 || ${busy}`,
    ...blocks,
    ...journals.map(({ path, hash }) => `${renderUnchanged(path, hash)} || keep 'what was journaled later'`),
    '[ "$left" = 0 ] || exit 6',
    `rm -f ${shellLine(journals.map(({ path }) => path))}`,
    '',
  ].join('\n');
}

const hashOf = (text: string | undefined): string | undefined =>
  text === undefined ? undefined : createHash('sha256').update(text).digest('hex');

/** What was journaled after this was rendered, it does not know. */
const renderUnchanged = (path: string, hash: string | undefined): string =>
  `[ ! -e ${shellWord(path)} ]${hash === undefined ? '' : ` || is_content ${shellWord(path)} ${hash}`}`;

const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ');

const IPTABLES = ['iptables', 'ip6tables'];

async function toolPaths(engine: Engine, entries: readonly Entry[]): Promise<readonly string[]> {
  const needed = new Set(TOOLS);
  for (const { undo, owns } of entries) {
    if ('run' in undo) {
      needed.add(undo.run[0]);
      // What a shell of plan/nat/chains.ts calls.
      for (const word of undo.run) if (IPTABLES.includes(word)) needed.add(word);
    }
    if ('rebind' in undo) for (const tool of REBIND_TOOLS) needed.add(tool);
    if ('unfile' in undo && undo.before !== null && 'keep' in undo.before) needed.add('cp');
    if (owns !== undefined && 'nft' in owns) needed.add('nft');
  }
  const paths: string[] = [];
  for (const tool of [...needed].sort()) {
    const path = await engine.machine.which(tool);
    if (path === undefined) throw new Error(`${tool} is needed to take it back, and is not on this host`);
    paths.push(path);
  }
  return paths;
}

async function renderEntry(entry: Entry, newer: readonly string[], engine: Engine): Promise<string> {
  const { undo, owns } = entry;
  const title = `# ${oneLine(entry.title)}`;
  if ('nothing' in undo) return `${title}: ${oneLine(undo.nothing)}`;
  const keep = shellLine(['keep', oneLine(entry.title), targetOf(undo) ?? '']);
  const known = entry.state === 'done' || entry.state === 'stuck';
  if (owns === undefined && !known && 'run' in undo) return `${title}\n${keep}`;
  const command = afterNewer(await renderCommand(entry, engine, keep), targetOf(undo), newer, keep);
  if (owns === undefined) return `${title}\n${command}`;
  const foreign = known ? `say ${shellWord(`left alone, not ours any more: ${oneLine(entry.title)}`)}` : ':';
  return [
    title,
    renderOwns(owns),
    'case $? in',
    // Not indented: a quoted text may go over several lines.
    `  0) ${command} ;;`,
    '  1) ;;',
    `  2) ${foreign} ;;`,
    `  *) ${keep} ;;`,
    'esac',
  ].join('\n');
}

/** Under a newer change that could not be taken back, an older one would look like a stranger's. */
function afterNewer(
  command: string,
  target: string | undefined,
  newer: readonly string[],
  keep: string,
): string {
  const overlapping = newer.filter((one) => dependsOn(target, [one]));
  if (overlapping.length === 0) return command;
  const patterns = overlapping.map((one) => `*${shellWord(`|${one}|`)}*`).join(' | ');
  return `case $waiting in ${patterns}) ${keep} ;; *)\n${command} ;; esac`;
}

function renderOwns(owns: Owns): string {
  if ('itself' in owns) return ':';
  if ('nft' in owns) return shellLine(['table_of', ...owns.nft.split(' '), owns.comment]);
  return shellLine(['link_of', owns.link, owns.mac ?? '', owns.alias ?? '', owns.macBefore ?? '']);
}

function renderCommand(entry: Entry, engine: Engine, keep: string): Promise<string> | string {
  const { undo, deadlineMs } = entry;
  const seconds = String(Math.max(1, Math.ceil(deadlineMs / 1000)));
  if ('run' in undo) {
    const line = shellLine(['run', seconds, undo.gone.join('\n'), ...undo.run]);
    return undo.stdin === undefined
      ? `${line} < /dev/null || ${keep}`
      : `printf %s ${shellWord(undo.stdin)} | ${line} || ${keep}`;
  }
  if ('write' in undo)
    return `${shellLine(['put_back', seconds, undo.write, undo.value, undo.expect])} || ${keep}`;
  if ('rebind' in undo) return `${renderRebindUndo(undo, seconds)} || ${keep}`;
  if ('unshare' in undo) return renderUnshare(undo, engine, seconds, keep);
  if ('unfile' in undo) return renderUnfile(undo, keep);
  if ('rmdir' in undo) return renderRmdir(undo);
  return ':';
}

function renderUnfile(undo: SettledOf<'unfile'>, keep: string): string {
  const path = shellWord(undo.unfile);
  const back = undo.before === null ? `rm -f ${path}` : renderPutBack(undo, undo.before);
  return `rm -f ${shellWord(undo.temp)}\n! is_content ${path} ${undo.sha256} || { ${back}; } || ${keep}`;
}

function renderRmdir(undo: SettledOf<'rmdir'>): string {
  const path = shellWord(undo.rmdir);
  const temp = `rmdir ${shellWord(undo.temp)} 2> /dev/null`;
  if (undo.inode === undefined) return temp;
  const said = shellWord(`left alone: ${undo.rmdir} holds files of others`);
  return `${temp}\n[ "$(stat -c %d:%i ${path} 2> /dev/null)" != ${undo.inode} ] || rmdir ${path} || say ${said}`;
}
