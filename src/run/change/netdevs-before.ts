/** The interfaces of a PCI function: how they are, and making them so again after the function came back. */
import { askJson, isObject, listOf, numberOf, textOf } from '../../host/ip-json.ts';
import type { Machine } from '../../host/port.ts';
import type { NetdevBefore } from '../../plan/undo.ts';
import { devicePath } from '../../plan/vfio/rebind.ts';

/** A virtio NIC has its interface one level deeper. */
async function netdevNames(address: string, machine: Machine): Promise<readonly string[]> {
  const dir = devicePath(address);
  const deeper = ((await machine.list(dir)) ?? []).filter((name) => /^virtio\d+$/.test(name));
  const folders = [`${dir}/net`, ...deeper.map((name) => `${dir}/${name}/net`)];
  const lists = await Promise.all(folders.map((folder) => machine.list(folder)));
  return lists.flatMap((list) => list ?? []);
}

export async function readNetdevsOf(address: string, machine: Machine): Promise<readonly NetdevBefore[]> {
  const names = await netdevNames(address, machine);
  const found = await Promise.all(names.map((name) => readOne(name, machine)));
  return found.flat();
}

async function readOne(name: string, machine: Machine): Promise<readonly NetdevBefore[]> {
  const rows = await askJson(machine, ['ip', '-j', 'address', 'show', 'dev', name]);
  return rows
    .filter((row) => row['ifname'] === name)
    .map((row) => {
      const master = textOf(row['master']);
      // What DHCP or router advertisements gave comes back by itself.
      const set = listOf(row['addr_info'])
        .filter(isObject)
        .filter((one) => one['scope'] === 'global' && one['dynamic'] !== true);
      return {
        name,
        mac: textOf(row['address']) ?? '',
        mtu: numberOf(row['mtu']),
        up: listOf(row['flags']).includes('UP'),
        ...(master === undefined ? {} : { master }),
        addresses: set.map((one) => `${textOf(one['local']) ?? ''}/${numberOf(one['prefixlen'])}`),
      };
    });
}

/**
 * `sh -c SCRIPT qlaunch-netdev PCI MAC NAME MTU MASTER UP ADDRESS…`. The driver makes the interface some time after it
 * was bound, udev may give it its name later still. Ends with 1 when it does not come within 10 s.
 */
export const NETDEV_SCRIPT = `pci=$1 mac=$2 name=$3 mtu=$4 master=$5 up=$6; shift 6
find_dev() {
  for one in /sys/bus/pci/devices/"$pci"/net/* /sys/bus/pci/devices/"$pci"/virtio*/net/*; do
    [ ! -e "$one/address" ] || [ "$(cat "$one/address")" != "$mac" ] || { printf %s "\${one##*/}"; return 0; }
  done
}
dev=$(find_dev) tries=0
while [ -z "$dev" ] && [ "$tries" -lt 100 ]; do sleep 0.1; tries=$((tries + 1)); dev=$(find_dev); done
[ -n "$dev" ] || { echo "$name did not come back" >&2; exit 1; }
if command -v udevadm > /dev/null; then udevadm settle --timeout=5; dev=$(find_dev); fi
if [ "$dev" != "$name" ]; then ip link set dev "$dev" down && ip link set dev "$dev" name "$name" || exit 1; fi
[ "$(cat "/sys/class/net/$name/mtu")" = "$mtu" ] || ip link set dev "$name" mtu "$mtu" || exit 1
[ -z "$master" ] || ip link set dev "$name" master "$master" || exit 1
[ -z "$up" ] || ip link set dev "$name" up || exit 1
for address in "$@"; do ip address replace "$address" dev "$name" || exit 1; done`;

export const netdevWords = (address: string, before: NetdevBefore): readonly string[] => [
  address,
  before.mac,
  before.name,
  `${before.mtu}`,
  before.master ?? '',
  before.up ? 'up' : '',
  ...before.addresses,
];
