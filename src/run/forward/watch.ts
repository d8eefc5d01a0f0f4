/** A VM whose guard is not root's: a shell waits for its end, and takes back what root has made for it meanwhile. */
import type { ProcessId } from '../../host/port.ts';
import { type Argv, DEADLINE_MS, type Step } from '../../plan/step.ts';

/** `$1` QEMU, `$2` when it was started (proc(5), starttime), `$3` the script. It holds nothing of ours open. */
const WATCH: string = [
  'exec < /dev/null > /dev/null 2>&1',
  "started() { sed 's/.*) //' \"/proc/$1/stat\" | cut -d ' ' -f 20; }",
  'while [ "$(started "$1")" = "$2" ]; do sleep 0.5; done',
  '[ ! -e "$3" ] || exec /bin/sh "$3"',
].join('\n');

export const watchArgv = ({ pid, start }: ProcessId, script: string): Argv => [
  ...(['setsid', '--fork', '/bin/sh', '-c', WATCH, 'qlaunch-forwards'] as const),
  ...[`${pid}`, `${start}`, script],
];

/** As it is printed: it is no change of the host, and ends by itself. */
export const watchStep = (qemu: ProcessId, script: string): Step => ({
  title: `take its forwards back when QEMU (pid ${qemu.pid}) ends`,
  do: { run: watchArgv(qemu, script) },
  undo: { nothing: 'it ends with QEMU' },
  deadlineMs: DEADLINE_MS,
});
