/**
 * QEMU's parent: a shell that outlives qlaunch, keeps QEMU's exit status and costs 1.7 MB. It gets the command as
 * its arguments, so no word of it is ever read by a shell.
 */

/** Files in the VM's directory. */
export const FILES = {
  record: 'vm.json',
  lock: 'lock',
  commandLock: 'command.lock',
  supervisor: 'supervisor.sock',
  command: 'command.sock',
  events: 'events.sock',
  serial: 'serial.sock',
  serialLog: 'serial.log',
  qemuLog: 'qemu.log',
  pid: 'qemu.pid',
  waiter: 'waiter.pid',
  exit: 'exit',
} as const;

/** argv[0] of the waiter's script: by it and the directory behind it a waiter is recognised in /proc. */
export const WAITER_NAME = 'qlaunch-waiter';

/**
 * `sh -c WAITER qlaunch-waiter DIR QEMU ARG…`. A signal to the waiter must not end it before QEMU. The status is
 * renamed into place: a reader never sees half a file.
 */
export const WAITER: string = [
  'trap "" HUP INT TERM',
  'dir=$1; shift',
  `echo $$ >"$dir/${FILES.waiter}"`,
  `(trap - HUP INT TERM; exec "$@" 2>>"$dir/${FILES.qemuLog}")`,
  'status=$?',
  `echo "$status" >"$dir/${FILES.exit}.new" && mv -f "$dir/${FILES.exit}.new" "$dir/${FILES.exit}"`,
].join('\n');
