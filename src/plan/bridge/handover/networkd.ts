/**
 * systemd-networkd goes on with the bridge. The move is ours, in one batch, as of any NIC: left to networkd, the bridge
 * would be without an address until a DHCP server has answered. Then files in /run say that the bridge has what the NIC
 * had, and `networkctl reload` makes networkd the one who renews it; a reboot ends in what was before.
 */
import { makeDirectory, putFile } from '../../files.ts';
import { DEADLINE_MS, type FilePath, type Owns, type Step } from '../../step.ts';
import type { Layer3 } from '../layer3.ts';
import { LIVE_DIR } from '../persist/networkd.ts';
import type { KeptFile } from '../persist/wish.ts';
import { TAKEN_WITHIN_S } from '../trial.ts';
import { type Foreign, foreignText, PUT } from './foreign.ts';
import { type Handover, look, lookTitle, METRIC_AGAIN, metricsOf, missingText, OWN, tell } from './steps.ts';

/** A DHCP server may take its time; what is there meanwhile is what was moved. */
const SETTLED_MS = 40_000;

/** By the clock, however long a round takes: what is left of SETTLED_MS is for the last one. */
const BACK_WITHIN_S = 25;

/** sd-network's state of links, and their leases, by index: systemd/src/libsystemd/sd-network/sd-network.c. */
const STATES = '/run/systemd/netif/links';
const LEASES = '/run/systemd/netif/leases';

/** A remark in a batch: the address that is not put back once the NIC has a lease again. */
const LEASED = '# leased ';

/**
 * A function for sh: the address of the old lease goes. Where it came first, the new one is its secondary, and would go
 * along (__inet_del_ifa() in linux/net/ipv4/devinet.c).
 */
const WITHOUT_OLD = [
  'without_old() {',
  '  promote=/proc/sys/net/ipv4/conf/$link/promote_secondaries',
  '  usual=$(cat "$promote")',
  '  set -- $(ip -4 -o address show dev "$link" to "$old")',
  '  echo 1 > "$promote"',
  '  ip address del "$4" dev "$link"',
  '  echo "$usual" > "$promote"',
  '} > /dev/null 2>&1',
].join('\n');

/**
 * networkd takes off what is not in its file, and asks for a lease anew: whatever is missing is put back until it says
 * for a second that it has the NIC, as before (it forgets a port that leaves its bridge, and begins with it anew: it
 * takes RTM_DELLINK of AF_BRIDGE for the link's own). Where it does not run any more for a second, that is the whole way
 * back. Once it has a lease there again, that is the one that counts, and not what was leased to the bridge.
 */
const BACK = [
  METRIC_AGAIN,
  OWN,
  PUT,
  'link=$1 file=$2 seen=0',
  'shift 2',
  'all=$(cat)',
  `old=$(printf '%s\\n' "$all" | sed -n 's/^${LEASED}//p')`,
  `lease() { sed -n 's/^ADDRESS=//p' ${LEASES}/"\${file##*/}" 2> /dev/null; }`,
  'has_lease() {',
  '  new=$(lease)',
  '  [ -n "$old" ] && [ -n "$new" ] && [ -n "$(ip -o address show dev "$link" to "$new")" ]',
  '}',
  'missing() {',
  `  printf '%s\\n' "$all" |`,
  `    if has_lease; then sed "/^address [a-z]* $old\\\\//d; /^route [a-z]* [^:]* proto dhcp/d"; else cat; fi`,
  '}',
  'has() { for a in $(own); do [ -n "$(ip -o address show dev "$link" to "$a")" ] || return 1; done; }',
  'is_its() {',
  '  case $(cat "$file" 2> /dev/null) in',
  '    *-qlaunch-*) return 1 ;;',
  '    *ADMIN_STATE=configured*) ;;',
  '    *) return 1 ;;',
  '  esac',
  '}',
  'is_gone() {',
  '  warning=$(networkctl --no-pager list "$link" 2>&1 > /dev/null) || return 0',
  '  case $warning in *"not running"*) ;; *) return 1 ;; esac',
  '}',
  'uptime() { read -r up rest < /proc/uptime; echo "${up%.*}"; }',
  WITHOUT_OLD,
  `end=$(($(uptime) + ${BACK_WITHIN_S}))`,
  'while :; do',
  '  batch=$(missing)',
  '  put',
  '  if has && { is_its || is_gone; }; then seen=$((seen + 1)); else seen=0; fi',
  '  [ "$seen" -lt 10 ] || break',
  '  [ "$(uptime)" -lt "$end" ] || break',
  '  sleep 0.1',
  'done',
  'metric_again "$link" "$@"',
  '! has_lease || [ "$old" = "$new" ] || without_old',
  'has',
].join('\n');

/**
 * Until networkd has both by our files, and the lease that the NIC had (a pattern for its address): with another one the
 * bridge is another client to the server, and the lease in use ends. A .netdev whose link is there already is ready for
 * its ports when the kernel next says something about that link: to be told its own group is enough.
 */
const TAKEN = [
  METRIC_AGAIN,
  PUT,
  `port=$1 bridge=$2 lease=$3 left=${10 * TAKEN_WITHIN_S}`,
  'shift 3',
  'batch=$(cat)',
  'is_its() {',
  '  case $(cat "$1" 2> /dev/null) in',
  '    *-qlaunch-"$bridge"*ADMIN_STATE=configured* | *ADMIN_STATE=configured*-qlaunch-"$bridge"*) ;;',
  '    *) return 1 ;;',
  '  esac',
  '}',
  'index=$(ip -o link show dev "$bridge") || exit',
  'index=${index%%:*}',
  `same() { [ -z "$lease" ] || grep -qE "^ADDRESS=$lease$" ${LEASES}/"$index" 2> /dev/null; }`,
  `until is_its "$port" && is_its ${STATES}/"$index" && same; do`,
  '  put',
  '  ip link set dev "$bridge" group default',
  '  if [ "$left" -le 0 ]; then',
  `    echo "systemd-networkd did not take $bridge over" >&2`,
  `    cat "$port" ${STATES}/"$index" ${LEASES}/"$index" >&2`,
  '    exit 1',
  '  fi',
  '  sleep 0.1',
  '  left=$((left - 1))',
  'done',
  'put',
  'metric_again "$bridge" "$@"',
].join('\n');

/** What BACK puts back, on stdin. @param from who has it now */
export const backText = (from: Layer3, nic: string, foreign: Foreign, leased: string | undefined): string =>
  (leased === undefined ? '' : `${LEASED}${leased}\n`) +
  missingText(from, nic) +
  foreignText(foreign, from.link, nic);

export interface NetworkdHold {
  readonly bridge: string;
  /** Index of the NIC. */
  readonly index: number;
  /** The address of its lease. */
  readonly leased?: string;
  /** The bridge has other IPv4 addresses: of a lease, whichever that will be (true), or none of a server's. */
  readonly anew?: boolean;
  /** By networkdFiles(), live. */
  readonly files: readonly KeptFile[];
  /** LIVE_DIR is not there. */
  readonly makesDir: boolean;
  readonly foreign: Foreign;
}

/** What stderr says where it does not run: then nobody has to be told. */
const NOBODY = ['was not provided', 'not found', 'No such file or directory', 'is not running'];

export function networkdHandover(
  { bridge, index, leased, anew, files, makesDir, foreign }: NetworkdHold,
  layer: Layer3,
  owns: Owns,
): Handover {
  const { link: nic } = layer;
  const file = `${STATES}/${index}`;
  const lease = anew === undefined ? (leased?.replaceAll('.', '[.]') ?? '') : anew ? '.+' : '';
  return {
    withinS: TAKEN_WITHIN_S,
    first: [
      look(
        lookTitle('systemd-networkd', nic),
        ['cat', file],
        {
          run: ['sh', '-c', BACK, 'sh', nic, file, ...metricsOf(layer)],
          stdin: backText(layer, nic, foreign, leased),
          gone: [],
        },
        owns,
        SETTLED_MS,
      ),
    ],
    last: [
      // Taken back before the move: a networkd that still has the port by our file would make it one again.
      look(
        'see that systemd-networkd answers',
        ['networkctl', '--no-pager', 'list', nic],
        { run: ['networkctl', 'reload'], gone: NOBODY },
        owns,
        DEADLINE_MS,
      ),
      ...(makesDir ? [makeDirectory(LIVE_DIR)] : []),
      ...files.map(({ path, content }): Step => putFile({ path: path as FilePath, content })),
      tell('let systemd-networkd read them', ['networkctl', 'reload'], 'it reads again when they are gone'),
      {
        title: `wait until systemd-networkd has ${bridge}, and its lease; give back what it drops`,
        do: {
          run: ['sh', '-c', TAKEN, 'sh', file, bridge, lease, ...metricsOf(layer)],
          stdin: foreignText(foreign, nic, bridge),
        },
        undo: { nothing: 'it was there before' },
        deadlineMs: SETTLED_MS,
      },
    ],
  };
}
