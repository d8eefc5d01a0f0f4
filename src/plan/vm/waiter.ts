/**
 * QEMU's parent: a shell that outlives qlaunch, keeps QEMU's exit status and costs 1.7 MB. It gets the command as
 * its arguments, so no word of it is ever read by a shell.
 */

/** Files in the VM's directory. */
export const FILES = {
  record: 'vm.json',
  lock: 'lock',
  commandLock: 'command.lock',
  consoleLock: 'console.lock',
  supervisor: 'supervisor.sock',
  command: 'command.sock',
  events: 'events.sock',
  serial: 'serial.sock',
  serialLog: 'serial.log',
  qemuLog: 'qemu.log',
  pid: 'qemu.pid',
  waiter: 'waiter.pid',
  /** A copy, there only until QEMU has read it. */
  vncPassword: 'vnc.password',
  /** Who is about to start the waiter: pid and start time (proc(5), stat). */
  launcher: 'launcher.pid',
  exit: 'exit',
} as const;

/** argv[0] of the waiter's script: by it and the directory behind it a waiter is recognised in /proc. */
export const WAITER_NAME = 'qlaunch-waiter';

/** argv[0] of the guard's script. */
export const GUARD_NAME = 'qlaunch-guard';

/**
 * `sh -c GUARD qlaunch-guard UNDO COMMAND…`: the waiter's parent where something on the host lives as long as the VM.
 * It is root where the waiter is the VM's user. It starts nothing before a line comes through `gate`, a pipe: a
 * launcher that dies before it has written down who holds the change leaves no QEMU behind. UNDO is rendered from the
 * journal and removes that; where it is missing or fails, `qlaunch recover` does the job.
 * A waiter that was killed (128 + signal) may leave a QEMU that lives: it is waited for by the VM's `lock`, which it
 * holds. Ours is the same open file; opened anew it is another one, for flock(2) to wait with.
 */
export function guard(gate: number, lock: number): string {
  return [
    'trap "" HUP INT TERM',
    'undo=$1; shift',
    `if read -r go <&${gate}; then`,
    `  (trap - HUP INT TERM; exec ${gate}<&-; exec "$@")`,
    `  [ $? -lt 128 ] || { exec ${lock}</proc/self/fd/${lock}; flock ${lock}; }`,
    'fi',
    '[ ! -e "$undo" ] || { /bin/sh "$undo" </dev/null >>"$undo.log" 2>&1 && rm -f "$undo" "$undo.log"; }',
  ].join('\n');
}

/**
 * `sh -c WAITER qlaunch-waiter DIR QEMU ARG…`. A signal to the waiter must not end it before QEMU. The status is
 * renamed into place: a reader never sees half a file. A passt that QEMU never connected to would wait for ever; it is
 * known by its log in DIR, for its pid may be somebody else's by now.
 */
export const WAITER: string = [
  'trap "" HUP INT TERM',
  'dir=$1; shift',
  // Room for the status, taken now: a full file system must not turn an orderly end into an unknown one.
  `printf "%8s\\n" "" >"$dir/${FILES.exit}.new"`,
  `(trap - HUP INT TERM; exec "$@" 2>>"$dir/${FILES.qemuLog}")`,
  'status=$?',
  'for file in "$dir"/passt-*.pid; do',
  '  [ -f "$file" ] || continue',
  '  pid=$(cat "$file")',
  '  if tr "\\0" "\\n" <"/proc/$pid/cmdline" | grep -qxF "${file%.pid}.log"; then kill "$pid"; fi',
  'done 2>/dev/null',
  `printf "%8s\\n" "$status" 1<>"$dir/${FILES.exit}.new" && mv -f "$dir/${FILES.exit}.new" "$dir/${FILES.exit}"`,
].join('\n');
