/** The plan of `qlaunch install-hooks`: /etc/qemu-ifup and /etc/qemu-ifdown, where every QEMU looks for them. */
import { backupPath, putFile } from '../files.ts';
import { shellLine, shellWord } from '../shell.ts';
import type { Argv, FilePath, Plan, Step } from '../step.ts';
import type { FileBefore } from '../undo.ts';

export const HOOKS = ['qemu-ifup', 'qemu-ifdown'] as const;
export type HookName = (typeof HOOKS)[number];

export interface InstallFacts {
  /** CONFIG_SYSCONFDIR of the QEMU they are for: /etc, /usr/local/etc. */
  readonly directory: FilePath;
  /** How each is started: absolute paths of the interpreter and of what it runs. */
  readonly programs: Readonly<Record<HookName, Argv>>;
  /** What lies there now. */
  readonly before: Readonly<Record<HookName, FileBefore | undefined>>;
}

/** In a file of ours, of whatever version. */
const MARK = '# Put here by `qlaunch install-hooks`';

export function planInstall<Facts>({ directory, programs, before }: InstallFacts): Plan<Facts> {
  const steps = HOOKS.flatMap((name): Step[] => {
    const path: FilePath = `${directory === '/' ? '' : directory}/${name}`;
    const put = putFile({ path, content: hookFile(programs[name]), mode: 0o755 });
    return [...keep(path, before[name]), put];
  });
  return { steps };
}

/** The front of dist/bin without what it needs to find itself. */
function hookFile(program: Argv): string {
  return [
    '#!/bin/sh',
    `${MARK}; its --uninstall puts back what was here.`,
    '# Without what triples the start of Node (nodejs/node#40524), or is for a shell of a developer.',
    'unset NODE_EXTRA_CA_CERTS NODE_OPTIONS',
    ...gone(program),
    `exec ${shellLine(program)} "$@"`,
    '',
  ].join('\n');
}

/** A clone that was removed is told in one line, which QEMU's user reads. */
function gone(program: Argv): readonly string[] {
  const missing = program.map((file) => `[ ! -e ${shellWord(file)} ]`).join(' || ');
  const what = `qlaunch was at ${program.at(-1)} and is not there any more: install it again, then: qlaunch install-hooks`;
  return [`if ${missing}; then echo "$0:" ${shellWord(what)} >&2; exit 1; fi`];
}

/** A symbolic link or a program (no text) has no copy beside it, only the one in the journal. */
function keep(path: FilePath, before: FileBefore | undefined): Step[] {
  if (before === undefined || 'linkTo' in before || before.base64 === true) return [];
  if (before.content.includes(MARK)) return [];
  const { content, mode, owner } = before;
  return [putFile({ path: backupPath(path), content, mode, owner })];
}
