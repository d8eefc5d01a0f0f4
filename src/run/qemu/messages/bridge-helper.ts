/** qemu-bridge-helper's messages, identical from 4.1 to 11.0, and QEMU's when the helper fails. */
import { CURES } from '../../../plan/doctor/cures.ts';
import { type MessageRow, OWN_TAP } from './row.ts';

const RESTORE_SETUID =
  'sudo chown root:root $<helper> && sudo chmod 4755 $<helper>   # Debian does not ship it setuid';

const rows: readonly MessageRow[] = [
  {
    pattern: /failed to parse default acl file `(?<file>[^']+)'/,
    cause:
      'the list of bridges that users may join is missing, not readable for you, or has a line the helper does not know (it names that line above)',
    cure: ['sudo qlaunch acl allow $<bridge>', 'qlaunch acl doctor $<bridge>'],
  },
  {
    pattern: /access denied by acl file/,
    cause:
      'the helper’s list does not allow bridge $<bridge>, or denies it: a deny line wins over every allow line',
    cure: ['qlaunch acl check $<bridge>', 'sudo qlaunch acl allow $<bridge>'],
  },
  {
    pattern: /Unknown command `(?<word>[^']*)'/,
    cause:
      'a line of bridge.conf begins with "$<word>"; the helper knows allow, deny and include, and then gives up the whole file',
    cure: ['write "allow NAME", one space, nothing behind the name; comments have lines of their own'],
  },
  {
    pattern: /^Invalid config line:/,
    cause: 'a line of bridge.conf has no argument, and the helper gives up the whole file',
    cure: ['write "allow NAME", one space, nothing behind the name'],
  },
  {
    pattern: /name `(?<name>[^']+)' too long: \d+/,
    cause: 'an interface name has at most 15 bytes, and "$<name>" has more',
    cure: ['take a shorter bridge name'],
  },
  {
    pattern: /failed to create tun device: Operation not permitted/,
    cause:
      'the bridge helper has no right to make a tap: it is not setuid root, lies on a nosuid mount, or QEMU runs with -sandbox or no_new_privs',
    cure: [RESTORE_SETUID, 'or without -sandbox', ...OWN_TAP],
  },
  {
    pattern: /failed to drop privileges/,
    cause: 'this container gives the setuid bridge helper neither CAP_NET_ADMIN nor CAP_SETPCAP',
    cure: ['start the container with --cap-add NET_ADMIN --cap-add SETPCAP'],
  },
  {
    pattern: /failed to open \/dev\/net\/tun: (?<errno>.+)/,
    cause: 'there is no usable tun device: $<errno>',
    cure: CURES.tun,
    check: 'tun',
  },
  {
    pattern: /failed to get mtu of bridge `(?<br>[^']*)': No such device/,
    cause: 'there is no bridge "$<br>" in this network namespace',
    cure: ['ip -br link show type bridge', 'sudo qlaunch bridge create $<br>'],
    check: 'bridge',
  },
  {
    pattern: /failed to set mtu of device `[^']+' to (?<mtu>\d+): Invalid argument/,
    cause: 'a tap cannot have the MTU of $<bridge>, $<mtu>; perhaps it is no bridge',
    cure: ['ip -d link show $<bridge>'],
  },
  {
    pattern: /failed to add interface `(?<tap>[^']+)' to bridge `(?<br>[^']+)': Operation not supported/,
    cause: '$<br> is not a bridge',
    cure: ['ip -br link show type bridge'],
  },
  {
    pattern: /^failed to (get|set|add|bring|open control|write fd)\b.*: (?<errno>.+)/,
    cause: 'the bridge helper could not finish: $<errno>',
    cure: ['ip -d link show $<bridge>'],
  },
  {
    pattern: /Can't fork bridge helper: Operation not permitted/,
    cause: '-sandbox spawn=deny forbids QEMU to start the bridge helper',
    cure: ['leave spawn=deny out', ...OWN_TAP],
  },
  {
    pattern: /bridge helper failed/,
    cause: 'the bridge helper gave up for the reason above, or could not be run at all',
    cure: ['ls -l $<helper>'],
  },
  {
    pattern: /failed to recv file descriptor|Unable to query TUNGETIFF on FD/,
    cause: 'the helper ended without handing over a tap: it is not qemu-bridge-helper, or it was killed',
    cure: ['--net bridge:$<bridge>   # without helper=: this distribution’s own'],
  },
];

export const bridgeHelperMessages: readonly MessageRow[] = rows.map((row) => ({
  check: 'bridge-helper',
  ...row,
}));
