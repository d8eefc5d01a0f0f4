/** What has to be there before QEMU starts. Each step goes away with the VM or is its own state. */
import { dirname } from 'node:path';
import type { PasstNet } from '../../spec/net-spec.ts';
import type { VmSpec } from '../../spec/vm-spec.ts';
import type { QemuCaps } from '../qemu/caps.ts';
import type { RunPaths } from '../qemu/context.ts';
import { nativePasst, passtArgv } from '../qemu/net/passt.ts';
import { type Argv, DEADLINE_MS, type Step } from '../step.ts';

export interface Prepare {
  readonly place: { readonly dir: string; readonly socketDir: string };
  readonly caps: QemuCaps;
  readonly paths: RunPaths;
  /** QEMU's user. */
  readonly user: { readonly uid: number; readonly gid: number };
  /** `setpriv … --` when QEMU's user is not ours, else nothing. */
  readonly runAs: readonly string[];
  readonly vars?: { readonly template: string; readonly target: string };
}

const OWN = { nothing: 'the VM’s own directory, with its logs; `qlaunch ps --clean` removes it' };

/**
 * What the launcher makes itself, with more care than a line for sh can show: it refuses a directory that is somebody
 * else's, and copies the variables so that a half copy never gets the name.
 */
export function layoutSteps({ place, user, runAs, vars }: Prepare): readonly Step[] {
  const owner = runAs.length === 0 ? [] : ['-o', String(user.uid), '-g', String(user.gid)];
  const dirs = [...new Set([place.dir, place.socketDir])].map(
    (dir): Step => ({
      title: `make the VM's directory ${dir}`,
      do: { run: ['install', '-d', '-m', '0700', ...owner, dir] },
      undo: OWN,
      deadlineMs: DEADLINE_MS,
    }),
  );
  if (vars === undefined) return dirs;
  const folder: Step = {
    title: 'make a place for UEFI variables',
    do: { run: ['install', '-d', '-m', '0700', ...owner, dirname(vars.target)] },
    undo: { nothing: 'it holds the boot entries of guests' },
    deadlineMs: DEADLINE_MS,
  };
  const copy: Step = {
    title: 'give the VM UEFI variables of its own',
    do: { run: asUser(runAs, ['cp', '-n', vars.template, vars.target]) },
    undo: { nothing: 'they hold the guest’s boot entries' },
    deadlineMs: DEADLINE_MS,
  };
  return [...dirs, folder, copy];
}

function asUser([program, ...words]: readonly string[], argv: Argv): Argv {
  return program === undefined ? argv : [program, ...words, ...argv];
}

/** What is run before QEMU, each as it is printed. */
export function prepareSteps(spec: VmSpec, prepare: Prepare): readonly Step[] {
  if (nativePasst(prepare.caps)) return [];
  return spec.nets.flatMap((net) => (net.mode === 'passt' ? [startPasst(net, prepare)] : []));
}

/**
 * Returns when passt listens. Its own session keeps Ctrl-C away from it. It stays in the foreground, because some
 * versions go to the background only when a terminal started them.
 */
const START_PASST = [
  'socket=$1; file=$2; shift 2',
  'setsid "$@" </dev/null >/dev/null 2>"$file.err" &',
  'echo $! >"$file.pid"',
  'until [ -S "$socket" ]; do',
  '  kill -0 $! 2>/dev/null || { cat "$file.err" "$file.log" >&2; exit 1; }',
  '  sleep 0.02',
  'done',
].join('\n');

/** QEMU before 10.1 does not start passt itself; --one-off ends it when QEMU hangs up. */
function startPasst(net: PasstNet, { paths, user, runAs }: Prepare): Step {
  const socket = paths.passtSock(net.id);
  // The waiter, and whoever cleans up, know a passt of ours by this log.
  const file = `${paths.dir}/passt-${net.id}`;
  // As root it would become nobody, who may not enter the VM's directory.
  const more = ['--log-file', `${file}.log`, ...(user.uid === 0 ? ['--runas', '0'] : [])];
  const start: Argv = [
    '/bin/sh',
    '-c',
    START_PASST,
    'start-passt',
    socket,
    file,
    ...passtArgv(net, socket),
    ...more,
  ];
  return {
    title: `start passt for ${net.id}`,
    do: { run: asUser(runAs, start) },
    undo: { nothing: 'passt ends when QEMU hangs up' },
    deadlineMs: DEADLINE_MS,
  };
}
