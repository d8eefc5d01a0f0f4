/** A tap script: QEMU executes it without a shell, and tells every failure to do so as "status 256". */
import type { Finding } from '../finding.ts';
import { type AskAs, ask } from './paths.ts';

/** execve(2): a program of the machine, or a first line `#!` with the absolute path of one. */
const EXECUTABLE = `
stat -L -- "$1" >/dev/null || exit 1
[ -f "$1" ] || { echo "$1 is not a file" >&2; exit 1; }
[ -x "$1" ] || { echo "$1 is not executable" >&2; exit 1; }
[ -r "$1" ] || { echo "$1: Permission denied" >&2; exit 1; }
case $(head -c 4 -- "$1" | od -An -tx1 | tr -d ' \\n') in
7f454c46) exit 0 ;;
2321*) ;;
*) echo "$1 does not begin with #!" >&2; exit 1 ;;
esac
interpreter=$(head -n 1 -- "$1" | sed 's/^#![[:blank:]]*//; s/[[:blank:]].*//')
case $interpreter in
*"$(printf '\\r')") echo "$1 has lines that end in CR LF" >&2; exit 1 ;;
esac
[ -x "$interpreter" ] || { echo "$1: there is no interpreter $interpreter" >&2; exit 1; }`;

/** With the rights of QEMU's user. `at`: "script of --net". */
export async function checkScriptAs(tools: AskAs, path: string, at: string): Promise<Finding | undefined> {
  const words = await ask(tools, EXECUTABLE, path);
  if (words === undefined) return undefined;
  return {
    code: 'QL_SCRIPT',
    what: `QEMU can not execute the ${at}`,
    why: [words],
    todo: [`ls -lH ${path}; head -1 ${path}`, 'script=yes runs the qemu-ifup of qlaunch'],
  };
}
