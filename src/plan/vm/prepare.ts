/** What has to be there before QEMU starts. Each step goes away with the VM or is its own state. */
import type { PasstNet } from '../../spec/net-spec.ts';
import type { VmSpec } from '../../spec/vm-spec.ts';
import type { QemuCaps } from '../qemu/caps.ts';
import type { RunPaths } from '../qemu/context.ts';
import { nativePasst, passtArgv } from '../qemu/net/passt.ts';
import { DEADLINE_MS, type Step } from '../step.ts';

export interface Prepare {
  readonly place: { readonly dir: string; readonly socketDir: string };
  readonly caps: QemuCaps;
  readonly paths: RunPaths;
  /** QEMU's user. */
  readonly uid: number;
  readonly vars?: { readonly template: string; readonly target: string };
}

const OWN = { nothing: 'the VM’s own directory, with its logs; `qlaunch ps --clean` removes it' };

export function prepareSteps(spec: VmSpec, prepare: Prepare): readonly Step[] {
  const { place, caps, vars } = prepare;
  const dirs = [...new Set([place.dir, place.socketDir])].map(
    (dir): Step => ({
      title: `make the VM's directory ${dir}`,
      do: { run: ['mkdir', '-p', '-m', '0700', dir] },
      undo: OWN,
      deadlineMs: DEADLINE_MS,
    }),
  );
  const copy: readonly Step[] =
    vars === undefined
      ? []
      : [
          {
            title: 'give the VM UEFI variables of its own',
            do: { run: ['cp', '-n', vars.template, vars.target] },
            undo: { nothing: 'they hold the guest’s boot entries' },
            deadlineMs: DEADLINE_MS,
          },
        ];
  const passt = nativePasst(caps) ? [] : spec.nets.filter((net): net is PasstNet => net.mode === 'passt');
  return [...dirs, ...copy, ...passt.map((net) => startPasst(net, prepare))];
}

/**
 * Returns when passt listens. Its own session keeps Ctrl-C away from it. It stays in the foreground, because some
 * versions go to the background only when a terminal started them.
 */
const START_PASST = [
  'socket=$1; shift',
  'setsid "$@" </dev/null >/dev/null 2>"$socket.err" &',
  'until [ -S "$socket" ]; do',
  '  kill -0 $! 2>/dev/null || { cat "$socket.err" "$socket.log" >&2; exit 1; }',
  '  sleep 0.02',
  'done',
  'echo $! >"$socket.pid"',
].join('\n');

/** QEMU before 10.1 does not start passt itself; --one-off ends it when QEMU hangs up. */
function startPasst(net: PasstNet, { paths, uid }: Prepare): Step {
  const socket = paths.passtSock(net.id);
  // As root it would become nobody, who may not enter the VM's directory.
  const more = ['--log-file', `${socket}.log`, ...(uid === 0 ? ['--runas', '0'] : [])];
  return {
    title: `start passt for ${net.id}`,
    do: { run: ['/bin/sh', '-c', START_PASST, 'start-passt', socket, ...passtArgv(net, socket), ...more] },
    undo: { nothing: 'passt ends when QEMU hangs up' },
    deadlineMs: DEADLINE_MS,
  };
}
