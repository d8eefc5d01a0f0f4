/** The watcher of a change that is to be confirmed, as sh: needs no Node, no name service, no terminal. */
import type { ProcessId } from '../../host/port.ts';
import { shellLine, shellWord } from '../../plan/shell.ts';

export interface Watch {
  readonly id: string;
  readonly seconds: number;
  /** Absolute paths. */
  readonly tools: readonly string[];
  /** Who carries out the plan: killed when it still does so at the end. */
  readonly actor: ProcessId;
  readonly files: WatchFiles;
}

export interface WatchFiles {
  /** Written by the watcher when it is ready: its pid. */
  readonly armed: string;
  /** Written by the actor when the plan is carried out. */
  readonly made: string;
  /** A directory: whoever makes it has decided, the watcher or `qlaunch confirm`. */
  readonly decided: string;
  /** The undo; replaced whenever the journal knows more. */
  readonly undo: string;
  readonly log: string;
  /** Removed when all is taken back. */
  readonly rest: readonly string[];
}

export function renderWatch({ id, seconds, tools, actor, files }: Watch): string {
  const { armed, made, decided, undo, log } = files;
  const all = [armed, made, undo, log, ...files.rest];
  return `#!/bin/sh
# Takes back change ${id} in ${seconds} s unless it is confirmed: qlaunch confirm ${id}
# What we were started with is not ours to keep: pipes, and above all the host lock.
exec < /dev/null >> ${shellWord(log)} 2>&1 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
trap '' HUP
PATH=${shellWord([...new Set(tools.map((tool) => tool.slice(0, tool.lastIndexOf('/'))))].join(':'))} LC_ALL=C
export PATH LC_ALL
for tool in ${shellLine(tools)}; do
  [ -x "$tool" ] || { echo "missing: $tool"; exit 4; }
done
# The last to go when memory runs out. Without CAP_SYS_RESOURCE it stays as it is.
{ echo -1000 > /proc/self/oom_score_adj; } 2> /dev/null
echo $$ > ${shellWord(`${armed}.new`)} && mv ${shellWord(`${armed}.new`)} ${shellWord(armed)} || exit 4
actor_lives() {
  stat=$(cat /proc/${actor.pid}/stat 2> /dev/null) || return 1
  # Behind the name, which may hold anything: field 3 and on; the 20th of these is when it was started.
  set -- \${stat##*)}
  [ "\${20}" = ${actor.start} ]
}
left=${seconds}
while [ "$left" -gt 0 ]; do
  [ ! -d ${shellWord(decided)} ] || exit 0
  # Who made it died halfway: nobody will confirm it.
  [ -e ${shellWord(made)} ] || actor_lives || break
  sleep 1
  left=$((left - 1))
done
# Somebody has cleared our state away: then we know nothing any more, least of all whom to kill.
[ -e ${shellWord(undo)} ] || exit 0
mkdir ${shellWord(decided)} || [ ! -d ${shellWord(decided)} ] || exit 0
echo 'not confirmed in time: taking it back'
[ -e ${shellWord(made)} ] || ! actor_lives || kill -9 ${actor.pid}
sh ${shellWord(undo)} || { echo "status $?: qlaunch recover"; exit 6; }
rm -f ${shellLine(all)}
rmdir ${shellWord(decided)}
`;
}
