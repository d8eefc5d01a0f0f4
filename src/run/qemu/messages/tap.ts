/** net/tap.c and net/tap-linux.c, 7.2 to 11.1. */
import { CURES } from '../../../plan/doctor/cures.ts';
import { type MessageRow, OWN_TAP } from './row.ts';

/** The tap of the start that failed is gone with it. */
const TRY_SCRIPT =
  'sudo ip tuntap add dev $<ifname> mode tap; sudo $<script> $<ifname>; sudo ip tuntap del dev $<ifname> mode tap   # shows what it says';

export const tapMessages: readonly MessageRow[] = [
  {
    pattern: /network script (?<script>.+) failed with status 256$/,
    cause:
      '$<script> ended with status 1: it is missing, not executable, has no #! line, or failed itself (256 is status 1 as wait(2) writes it)',
    cure: ['ls -l $<script>; head -1 $<script>', TRY_SCRIPT, ...OWN_TAP],
  },
  {
    pattern: /network script (?<script>.+) failed with status (?<status>\d+)$/,
    cause:
      '$<script> failed; status $<status> is as wait(2) writes it: the exit status times 256, or the number of the signal that killed it',
    cure: [TRY_SCRIPT],
  },
  {
    pattern: /could not launch network script (?<script>.+): Operation not permitted$/,
    cause: '-sandbox spawn=deny forbids QEMU to start $<script>',
    cure: ['leave spawn=deny out', ...OWN_TAP],
  },
  {
    pattern: /could not launch network script:? ?(?<script>[^:]*)/,
    cause: 'QEMU could not start the network script: missing, not executable, or no #! line',
    cure: OWN_TAP,
  },
  {
    pattern: /could not configure \/dev\/net\/tun(?: \((?<ifname>[^)]*)\))?: Operation not permitted/,
    cause:
      'making a tap needs CAP_NET_ADMIN, and an existing one can only be opened by the user it was made for',
    cure: [
      'ip -d link show $<ifname>   # is there only for the user it names; if that is another one:',
      'sudo ip tuntap del dev $<ifname> mode tap',
      ...OWN_TAP,
      '--net user   # needs no rights',
    ],
  },
  {
    pattern: /could not configure \/dev\/net\/tun(?: \((?<ifname>[^)]*)\))?: Device or resource busy/,
    cause:
      'another process holds the tap $<ifname>: a running VM, or a child that a network script left behind',
    cure: ["grep -l 'iff:.*$<ifname>' /proc/[0-9]*/fdinfo/* 2>/dev/null   # shows whose it is"],
  },
  {
    pattern: /could not configure \/dev\/net\/tun(?: \((?<ifname>[^)]*)\))?: Invalid argument/,
    cause:
      '$<ifname> is no tap, or a tun, or it was made with multi_queue and is opened with one queue, or the other way round',
    cure: ['ip -d link show $<ifname>', 'make queues= and multi_queue agree'],
  },
  {
    pattern: /could not configure \/dev\/net\/tun(?: \((?<ifname>[^)]*)\))?: Argument list too long/,
    cause: 'a tap has at most 256 queues',
    cure: ['take a smaller queues='],
  },
  {
    pattern: /[Cc]ould not open '?\/dev\/net\/tun'?: Permission denied/,
    cause:
      'only root may open /dev/net/tun on this machine; its usual mode is 0666, for each tap has its own owner',
    cure: ['sudo chmod 0666 /dev/net/tun', '--net user   # needs no rights'],
  },
  {
    pattern: /[Cc]ould not open '?\/dev\/net\/tun'?: (?<errno>.+)/,
    cause:
      'there is no usable tun device: $<errno>. After a kernel upgrade without a reboot its module cannot be loaded any more',
    cure: [CURES.tun[0], ...CURES.tunGone, CURES.tun[1]],
    check: 'tun',
  },
  {
    pattern: /vnet_hdr=1 requested, but no kernel support|multiqueue required, but no kernel support/,
    cause: 'this kernel’s tun driver is too old for what was asked',
    cure: ['leave vnet_hdr=on and queues= out'],
  },
  {
    pattern: /TUNSETSNDBUF ioctl failed: (?<errno>.+)/,
    cause: 'the kernel refused that sndbuf: $<errno>',
    cure: ['leave sndbuf= out: unlimited is the default'],
  },
  {
    pattern: /open vhost char device failed: |[Cc]ould not open '\/dev\/vhost-net'/,
    cause: 'vhost=on needs /dev/vhost-net, and it cannot be opened',
    cure: [...CURES.vhostNet, 'or leave vhost=on out'],
    check: 'vhost-net',
  },
  {
    pattern: /vhost-net requested but could not be initialized/,
    cause: 'the kernel’s vhost-net refused this tap (another network namespace, or a kernel without it)',
    cure: ['leave vhost=on out'],
  },
  {
    pattern: /net_client_init1: Assertion [`'](nc|!rc)' failed/,
    cause:
      'QEMU up to 11.0 aborts instead of explaining when queues=0 is given, up to 8.2 also when /dev/vhost-net cannot be opened',
    cure: ['give queues= 1 or more', 'ls -l /dev/vhost-net, or leave vhost=on out'],
  },
  {
    pattern:
      /(are|is) (invalid|not valid) (with|without|if) |mutual exclusive|does not match the number of vhostfds|vnet_hdr not consistent/,
    cause: 'these options of one -netdev tap exclude each other',
    cure: ['keep one way to get the tap: a name (ifname=), a helper (helper=, br=), or a descriptor (fd=)'],
  },
  {
    pattern: /Multiqueue tap cannot be used with hubs/,
    cause: 'the old -net syntax goes through a hub, which has one queue',
    cure: ['use --net tap,queues=N'],
  },
  {
    pattern: /Can't (use|set) file descriptor (?<fd>\d+)|Invalid file descriptor number '(?<word>[^']*)'/,
    cause: 'the descriptor that fd= names is not open in QEMU',
    cure: ['hand it over when starting, for example: qlaunch … 3<>/dev/tap7 with fd=3'],
  },
];
