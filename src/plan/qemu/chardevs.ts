import type { SerialSpec } from '../../spec/vm-spec.ts';
import type { RunPaths } from './context.ts';
import { opt } from './opt.ts';

const socket = (id: string, path: string, more: { readonly logfile?: string } = {}): string[] => [
  '-chardev',
  // The long forms: `server` and `nowait` are deprecated since 6.0. Without wait=off QEMU waits for a client.
  opt('socket', { id, path, server: true, wait: false, ...more }),
];

/** QMP serves one client at a time, so there is one monitor for each use. */
export function monitorArguments(paths: RunPaths): string[][] {
  const monitor = (id: string, path: string): string[][] => [
    socket(id, path),
    ['-mon', opt('', { chardev: id, mode: 'control' })],
  ];
  return [
    ...monitor('supervisor', paths.supervisorSock),
    ...monitor('command', paths.commandSock),
    ...monitor('events', paths.eventsSock),
  ];
}

/** All but `none` and a file of the user's are also written to serial.log, for `qlaunch logs`. */
export function serialArguments(serial: SerialSpec, paths: RunPaths): string[][] {
  if (serial.kind === 'none') return [];
  const backend: Record<Exclude<SerialSpec['kind'], 'none'>, () => string[]> = {
    // signal=on keeps the terminal's ISIG: Ctrl-C reaches qlaunch, which presses the power button. (QEMU, in a
    // session of its own, does not get it.)
    stdio: () => [
      '-chardev',
      opt('stdio', { id: 'serial0', mux: false, signal: true, logfile: paths.serialLog }),
    ],
    socket: () => socket('serial0', paths.serialSock, { logfile: paths.serialLog }),
    file: () => ['-chardev', opt('file', { id: 'serial0', path: serial.kind === 'file' ? serial.path : '' })],
  };
  return [backend[serial.kind](), ['-serial', 'chardev:serial0']];
}
