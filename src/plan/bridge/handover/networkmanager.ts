/**
 * NetworkManager moves a NIC by itself, when it is told of a bridge and its port: it watches its links too closely for
 * anybody else to do it. Its profiles lie in /run, where a reboot ends; the NIC's own stays as it is. What was on the
 * NIC beside its profile is put onto the bridge after that.
 */
import { makeDirectory, putFile } from '../../files.ts';
import { DEADLINE_MS, type FilePath, type Owns, type Step } from '../../step.ts';
import type { Layer3 } from '../layer3.ts';
import { LIVE_KEYFILES, notByItself } from '../persist/keyfile.ts';
import type { KeptFile } from '../persist/wish.ts';
import { TAKEN_WITHIN_S } from '../trial.ts';
import { type Handover, look, lookTitle, missingText, OWN, tell } from './steps.ts';

/** A DHCP server may take its time. */
const UP_MS = 60_000;
/** For each of the two profiles. */
const UP_WITHIN_S = 30;

/** For sed: IPv4 addresses with a lifetime, and the routes that came with them. */
const OF_LEASE = '/^address [a-z]* [0-9.]*\\/.* valid_lft /d; /^route [a-z]* [^:]* proto dhcp/d';

/**
 * The old profile is brought up unless it is, and ours are deleted, whatever became of them; then what is missing is put
 * back. Where NetworkManager does not run any more, the kernel is told the same. Addresses that were in use a moment ago
 * are not asked for: for that time they could not be used (RFC 4862, 5.4). Once it has a lease there again, that is the
 * one that counts, and not what was leased to the bridge. The bridge is the one that has the NIC's MAC
 * address, as in our profile: another of its name is somebody's.
 */
const BACK = [
  OWN,
  'nmcli=$1 link=$2 bridge=$3 old=$4 left=150',
  'shift 4',
  'batch=$(cat)',
  'dad=/proc/sys/net/ipv6/conf/$link/accept_dad',
  'asks=$(cat "$dad" 2> /dev/null)',
  '[ -z "$asks" ] || echo 0 > "$dad"',
  'has() { for a; do [ -n "$(ip -o address show dev "$link" to "$a")" ] || return 1; done; }',
  'mac() { cat /sys/class/net/"$1"/address 2> /dev/null; }',
  'there() { [ -d /sys/class/net/"$bridge"/bridge ] && [ "$(mac "$bridge")" = "$(mac "$link")" ]; }',
  'is_up() { [ "$("$nmcli" -g GENERAL.CON-UUID device show "$link")" = "$old" ]; }',
  `lease() { "$nmcli" -t -f DHCP4 device show "$link" | sed -n 's/^DHCP4[^:]*:ip_address = //p'; }`,
  'has_lease() {',
  '  [ -n "$(leased)" ] || return 1',
  '  case $("$nmcli" -g GENERAL.STATE device show "$link") in 100*) ;; *) return 1 ;; esac',
  '  new=$(lease)',
  '  [ -n "$new" ] && has "$new"',
  '}',
  'if "$nmcli" -g RUNNING general > /dev/null 2>&1; then',
  '  is_up || "$nmcli" -w 20 connection up uuid "$old" ifname "$link"',
  '  "$nmcli" -w 10 connection delete uuid "$@"',
  '  while there || ! { has $(leased) || has_lease; }; do',
  '    [ "$left" -gt 0 ] || break',
  '    sleep 0.1',
  '    left=$((left - 1))',
  '  done',
  `  ! has_lease || batch=$(printf '%s\\n' "$batch" | sed '${OF_LEASE}')`,
  'else',
  '  ip link set dev "$link" nomaster up',
  'fi > /dev/null 2>&1',
  `printf '%s\\n' "$batch" | ip -force -batch - > /dev/null 2>&1`,
  '! there || ip link delete dev "$bridge"',
  '[ -z "$asks" ] || echo "$asks" > "$dad"',
  'has $(own)',
].join('\n');

/** It says so of a bridge that waits for its port as well: so the addresses count, and who forwards. */
const TAKEN = [
  `nmcli=$1 port=$2 bridge=$3 uuid=$4 left=${10 * TAKEN_WITHIN_S}`,
  'shift 4',
  'batch=$(cat)',
  'has() { for a; do [ -n "$(ip -o address show dev "$bridge" to "$a")" ] || return 1; done; }',
  'is_port() { ip -o link show dev "$port" | grep -q " master $bridge "; }',
  'is_up() { case $("$nmcli" -g GENERAL.STATE device show "$bridge") in 100*) ;; *) return 1 ;; esac; }',
  'until is_port && is_up && has "$@"; do',
  '  if [ "$left" -le 0 ]; then',
  '    "$nmcli" device show "$bridge" >&2',
  '    echo "NetworkManager did not bring $bridge up" >&2',
  '    exit 1',
  '  fi',
  '  sleep 0.1',
  '  left=$((left - 1))',
  'done 2> /dev/null',
  `printf '%s\\n' "$batch" | ip -force -batch - > /dev/null 2>&1 || :`,
].join('\n');

export interface NmHold {
  /** Absolute. */
  readonly nmcli: string;
  readonly bridge: string;
  /** Of the profile that is up on the NIC. */
  readonly old: string;
  /** Of ours. */
  readonly uuids: readonly [bridge: string, port: string];
  /** By keyfileFiles(), live. */
  readonly files: readonly KeptFile[];
  /** The directory of keyfiles in /run is not there. */
  readonly makesDir: boolean;
  /** ASKING of the NIC; empty: no IPv6 there. */
  readonly asks: Readonly<Record<string, string>>;
  /** Its memory of the NIC's lease is there. */
  readonly hasLease: boolean;
  /** The bridge has other IPv4 addresses: of a lease, whichever that will be (true), or none of a server's. */
  readonly anew?: boolean;
}

/** `ip address show to` takes a network: any IPv4 address is in this one. */
const ANY = '0.0.0.0/0';

const up = (title: string, uuid: string): Step =>
  tell(
    title,
    ['nmcli', '-w', `${UP_WITHIN_S}`, 'connection', 'up', 'uuid', uuid],
    'its profile is deleted',
    UP_MS,
  );

/**
 * Duplicate address detection, RFC 4862, 5.4: of an address from before there was a carrier the kernel sends as many as
 * dad_transmits, up to router_solicitation_delay after it came (addrconf_dad_kick() in linux/net/ipv6/addrconf.c).
 */
export const ASKING = ['accept_dad', 'dad_transmits', 'router_solicitation_delay'] as const;

const asking = (bridge: string, name: string, value: string, why: string): Step => ({
  title: `set ${name} so that ${bridge} ${why}`,
  do: { write: `/proc/sys/net/ipv6/conf/${bridge}/${name}`, value },
  undo: { nothing: `goes away with ${bridge}` },
  deadlineMs: DEADLINE_MS,
});

const LEASES = '/var/lib/NetworkManager/internal';

/** @param arriving what the bridge will have; of `--dhcp` without what a server gives */
export function nmHandover(hold: NmHold, layer: Layer3, owns: Owns, arriving: Layer3 = layer): Handover {
  const { nmcli, bridge, old, uuids, files, asks, anew } = hold;
  const { link: nic } = layer;
  const leased =
    anew === true
      ? [ANY]
      : arriving.addresses.flatMap(({ family, validS, local }) =>
          family === 'inet' && validS !== undefined ? [local] : [],
        );
  const load = (why: string): Step =>
    tell(why, ['nmcli', 'connection', 'load', ...files.map(({ path }) => path)], 'they are deleted there');
  const write = (change: (content: string) => string): readonly Step[] =>
    files.map(({ path, content, mode = 0o600 }) =>
      putFile({ path: path as FilePath, content: change(content), mode }),
    );
  return {
    withinS: 2 * UP_WITHIN_S + TAKEN_WITHIN_S,
    first: [
      look(
        lookTitle('NetworkManager', nic),
        ['nmcli', '-g', 'GENERAL.STATE', 'device', 'show', nic],
        {
          run: [...(['sh', '-c', BACK, 'sh', nmcli, nic, bridge, old] as const), ...uuids],
          stdin: missingText(layer, nic),
          gone: [],
        },
        owns,
        UP_MS,
      ),
    ],
    instead: [
      ...(hold.makesDir ? [makeDirectory(LIVE_KEYFILES)] : []),
      ...(hold.hasLease ? [copyLease(old, nic, uuids[0], bridge)] : []),
      // With `autoconnect` to load them would be to bring them up (seen with 1.42).
      ...write((content) => notByItself(content).replace(/^autoconnect-slaves=1$/m, 'autoconnect-slaves=0')),
      load('let NetworkManager read them'),
      up(`let NetworkManager make ${bridge}`, uuids[0]),
      ...Object.keys(asks).map((name) => asking(bridge, name, '0', 'uses its addresses at once')),
      up(`let NetworkManager make ${nic} its port`, uuids[1]),
      {
        title: `wait until ${bridge} has what NetworkManager gives it, and give it the rest`,
        do: {
          run: ['sh', '-c', TAKEN, 'sh', nmcli, nic, bridge, uuids[0], ...leased],
          stdin: missingText(arriving, bridge),
        },
        undo: { nothing: `goes away with ${bridge}` },
        deadlineMs: UP_MS,
      },
      ...Object.entries(asks).map(([name, value]) => asking(bridge, name, value, `asks as ${nic} did`)),
      // A NIC that loses its carrier is brought up anew: by the profile with the highest priority.
      ...write((content) => content),
      load(`let NetworkManager bring ${bridge} up again by itself`),
    ],
    last: [],
  };
}

/** Then the server is asked for the same address, and not for any. */
function copyLease(old: string, nic: string, uuid: string, bridge: string): Step {
  const copy = `${LEASES}-${uuid}-${bridge}.lease`;
  return {
    title: `let NetworkManager know on ${bridge} the lease of ${nic}`,
    do: { run: ['cp', `${LEASES}-${old}-${nic}.lease`, copy] },
    undo: { run: ['rm', '-f', copy], gone: [] },
    owns: { link: nic },
    deadlineMs: DEADLINE_MS,
  };
}
