/** undo-rebind.ts as sh, for a VM's guard, which must do without us. */
import { shellLine } from '../../plan/shell.ts';
import type { SettledOf } from '../../plan/undo.ts';
import { NETDEV_SCRIPT, netdevWords } from './netdevs-before.ts';

export const REBIND_TOOLS: readonly string[] = ['grep', 'ls', 'modprobe', 'sleep'];

export const REBIND_FUNCTIONS = `driver_of() { d=$(readlink "/sys/bus/pci/devices/$1/driver") || return 0; printf %s "\${d##*/}"; }
override_of() { o=$(cat "/sys/bus/pci/devices/$1/driver_override"); [ "$o" = '(null)' ] || printf %s "$o"; }
override() { # SECONDS ADDRESS NAME
  [ "$(override_of "$2")" != "$3" ] || return 0
  write "$1" "/sys/bus/pci/devices/$2/driver_override" "\${3:-$newline}" && [ "$(override_of "$2")" = "$3" ]
}
newline='
'
held() { # ADDRESS
  g=$(readlink "/sys/bus/pci/devices/$1/iommu_group") || return 1
  ls -l /proc/[0-9]*/fd 2>/dev/null | grep -q -- "-> /dev/vfio/\${g##*/}\\$"
}
rebind() { # SECONDS ADDRESS OURS DRIVER MODULE OVERRIDE
  [ -e "/sys/bus/pci/devices/$2" ] || { say "left alone: $2 is gone"; return 0; }
  now=$(driver_of "$2")
  if [ -n "$now" ] && [ "$now" != "$3" ] && [ "$now" != "$4" ]; then
    say "left alone: somebody bound $2 to $now since"
    [ "$(override_of "$2")" != "$3" ] || override "$1" "$2" "$6"; return
  fi
  if [ "$now" != "$4" ]; then
    if [ -n "$now" ] && held "$2"; then say "$2 is in use"; return 1; fi
    override "$1" "$2" "\${4:-none}" || return 1
    [ -z "$now" ] || write "$1" "/sys/bus/pci/drivers/$now/unbind" "$2" || return 1
    if [ -n "$4" ]; then
      [ -e "/sys/bus/pci/drivers/$4" ] || modprobe "\${5:-$4}"
      write "$1" "/sys/bus/pci/drivers/$4/bind" "$2"
      [ "$(driver_of "$2")" = "$4" ] || { override "$1" "$2" "$6"; return 1; }
    fi
  fi
  override "$1" "$2" "$6"
}
`;

export function renderRebindUndo(undo: SettledOf<'rebind'>, seconds: string): string {
  const { rebind: address, to, driver, module, override, netdevs } = undo;
  const line = shellLine(['rebind', seconds, address, to ?? '', driver ?? '', module ?? '', override]);
  const back = netdevs.map((before) =>
    shellLine(['/bin/sh', '-c', NETDEV_SCRIPT, 'qlaunch-netdev', ...netdevWords(address, before)]),
  );
  // The device is back; an interface that is not as it was is told, and is nothing to try again.
  return back.length === 0 ? line : `{ ${line} && { ${back.join(' && ')} || :; }; }`;
}
