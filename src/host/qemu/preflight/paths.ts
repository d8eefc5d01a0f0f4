/** Files that QEMU opens or makes, other than disks. */
import { accessSync, constants, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { shellLine } from '../../../plan/shell.ts';
import type { Argv } from '../../../plan/step.ts';
import type { Finding } from '../finding.ts';
import type { ImageTools } from '../image/open.ts';

/** sun_path is 108 bytes with its closing NUL (unix(7)); QEMU: "Path must be less than 108 bytes". */
const SOCKET_PATH_BYTES = 107;

export function checkSocketPath(path: string, at: string): Finding | undefined {
  const bytes = Buffer.byteLength(path);
  if (bytes <= SOCKET_PATH_BYTES) return undefined;
  return {
    code: 'QL_SOCKET_PATH',
    what: `the socket path of ${at} is too long`,
    why: [`${path} has ${bytes} bytes; a unix socket's path may have ${SOCKET_PATH_BYTES}`],
    todo: ['take a shorter path, or set QLAUNCH_RUNTIME_DIR to a shorter directory'],
  };
}

export type AskAs = Pick<ImageTools, 'host' | 'runAs'>;

/** checkReadable() with the rights of QEMU's user: root may read what that user may not. */
export async function checkReadableAs(tools: AskAs, path: string, at: string): Promise<Finding | undefined> {
  if (tools.runAs.length === 0) return checkReadable(path, at);
  const words = await ask(tools, READABLE, path);
  return words === undefined ? undefined : unreadable(path, at, words);
}

/** A directory that QEMU reads, with the rights of its user: `tftp=`, `smb=`. */
export async function checkDirectoryAs(tools: AskAs, path: string, at: string): Promise<Finding | undefined> {
  const words = tools.runAs.length === 0 ? notADirectory(path) : await ask(tools, DIRECTORY, path);
  if (words === undefined) return undefined;
  const todo = [shellLine(['namei', '-l', path])];
  return { code: 'QL_FILE', what: `cannot use the directory of ${at}`, why: [words], todo };
}

function notADirectory(path: string): string | undefined {
  if (kindOf(path) === 'other') return `${path} is not a directory`;
  return refusal(path, constants.R_OK | constants.X_OK);
}

/** checkWritable() with the rights of QEMU's user. */
export async function checkWritableAs(tools: AskAs, path: string, at: string): Promise<Finding | undefined> {
  if (tools.runAs.length === 0) return checkWritable(path, at);
  const words = await ask(tools, WRITABLE, path);
  return words === undefined ? undefined : unwritable(path, at, words);
}

/** stat tells why it cannot get there. */
const READABLE = `
stat -L -- "$1" >/dev/null || exit 1
[ -f "$1" ] || { echo "$1 is not a file" >&2; exit 1; }
[ -r "$1" ] || { echo "$1: Permission denied" >&2; exit 1; }`;

/** QEMU lists it, or hands it to another program. */
const DIRECTORY = `
stat -L -- "$1" >/dev/null || exit 1
[ -d "$1" ] || { echo "$1 is not a directory" >&2; exit 1; }
[ -r "$1" ] && [ -x "$1" ] || { echo "$1: Permission denied" >&2; exit 1; }`;

const WRITABLE = `
if [ -e "$1" ]; then
  [ ! -d "$1" ] || { echo "$1 is a directory" >&2; exit 1; }
  [ -w "$1" ] || { echo "$1: Permission denied" >&2; exit 1; }
else
  dir=$(dirname -- "$1")
  stat -L -- "$dir" >/dev/null || exit 1
  [ -d "$dir" ] || { echo "$dir is not a directory" >&2; exit 1; }
  [ -w "$dir" ] && [ -x "$dir" ] || { echo "$dir: Permission denied" >&2; exit 1; }
fi`;

const ASK_MS = 10_000;

/** Runs it as QEMU's user with the path as $1. What it says when it fails; undefined when it does not. */
export async function ask({ host, runAs }: AskAs, script: string, path: string): Promise<string | undefined> {
  const argv = [...runAs, '/bin/sh', '-c', script, 'sh', path] as unknown as Argv;
  const { status, stderr } = await host.run(argv, { timeoutMs: ASK_MS });
  return status === 0 ? undefined : stderr.trim() || `could not look at ${path} as QEMU’s user`;
}

/** A file that QEMU reads: a kernel, an initrd, a ROM, a password. */
export function checkReadable(path: string, at: string): Finding | undefined {
  const words = refusal(path, constants.R_OK);
  if (words === undefined && statSync(path).isFile()) return undefined;
  return unreadable(path, at, words ?? `${path} is not a file`);
}

function unreadable(path: string, at: string, words: string): Finding {
  return {
    code: 'QL_FILE',
    what: `cannot read the file of ${at}`,
    why: [words],
    todo: [shellLine(['ls', '-lH', path])],
  };
}

/** A file that QEMU makes or writes to, as `--serial file:PATH`. */
export function checkWritable(path: string, at: string): Finding | undefined {
  const is = kindOf(path);
  const words =
    is === 'directory'
      ? `${path} is a directory`
      : is === 'other'
        ? refusal(path, constants.W_OK)
        : (notADirectory(dirname(path)) ?? refusal(dirname(path), constants.W_OK));
  return words === undefined ? undefined : unwritable(path, at, words);
}

/** undefined when it is not there, or cannot be looked at: its directory tells then. */
function kindOf(path: string): 'directory' | 'other' | undefined {
  try {
    return statSync(path).isDirectory() ? 'directory' : 'other';
  } catch {
    return undefined;
  }
}

function unwritable(path: string, at: string, words: string): Finding {
  return {
    code: 'QL_FILE',
    what: `cannot write the file of ${at}`,
    why: [words],
    todo: [shellLine(['namei', '-l', path])],
  };
}

function refusal(path: string, mode: number): string | undefined {
  try {
    accessSync(path, mode);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
