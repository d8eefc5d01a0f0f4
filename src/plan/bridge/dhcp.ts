/**
 * The DHCP client of a NIC goes on on the bridge, as the same client to the server, so that the lease stays. The old one
 * is ended by SIGKILL: any other way of ending may release the lease or take the address off (dhclient -r and -x,
 * udhcpc -R). At its start a client empties its link (udhcpc's script on `deconfig`, dhclient's on PREINIT): so it is
 * started on the bridge before anything is there, and on the way back on the NIC before that has anything again.
 */
import { EXIT, QlaunchError } from '../../errors.ts';
import type { Argv, FileContent, FilePath, Owns, Step } from '../step.ts';

export interface DhcpClient {
  readonly program: 'dhclient' | 'udhcpc' | 'dhcpcd';
  readonly pid: number;
  /** Field 22 of /proc/PID/stat. */
  readonly start: string;
  readonly argv: Argv;
  /** The NIC's lease file; of dhclient: it holds the DUID, which is its identity. */
  readonly leases?: { readonly path: string; readonly content: string };
  /** "192.0.2.10" */
  readonly address?: string;
}

const START_MS = 10_000;

export const RESOLV_CONF = '/etc/resolv.conf';

/**
 * Starts a program outside of our session, without our descriptors (the host lock is one), unless the process PID of
 * that START still lives.
 */
const LAUNCH = [
  'lives() { s=$(cat "/proc/$1/stat" 2> /dev/null) || return 1; b=$2; set -- ${s##*)}; [ "${20}" = "$b" ]; }',
  'if lives "$1" "$2"; then exit 0; fi',
  'shift 2',
  'exec < /dev/null > /dev/null 2>&1 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-',
  'setsid "$@" &',
  // It empties the link in its first moments; then what comes later stays.
  'sleep 1',
].join('\n');

/** Ends whoever has exactly this command line, in this network namespace. */
const END = [
  'here=$(readlink /proc/self/ns/net)',
  'for d in /proc/[0-9]*; do',
  '  [ "$(tr "\\0" " " 2> /dev/null < "$d/cmdline")" = "$* " ] || continue',
  '  [ "$(readlink "$d/ns/net")" != "$here" ] || kill -KILL "${d#/proc/}"',
  'done',
].join('\n');

const NOBODY = ['0', '0'] as const;

/** After the move. The lease stays true for as long as it lasts. */
export function endClient(client: DhcpClient, nic: string, owns: Owns): Step {
  const { program, pid, argv } = client;
  return {
    title: `end ${program} on ${nic}, without giving its lease back`,
    // Of several processes; with -p what it set stays, and nothing is released.
    do: { run: program === 'dhcpcd' ? endDhcpcd(argv) : ['kill', '-KILL', String(pid)] },
    undo:
      program === 'dhcpcd'
        ? { nothing: `it is started again when ${nic} is no port any more` }
        : { run: again(client), gone: [] },
    owns,
    deadlineMs: START_MS,
  };
}

const again = ({ pid, start, argv }: DhcpClient): Argv => [
  ...(['sh', '-c', LAUNCH, 'sh', String(pid), start] as const),
  ...argv,
];

/** Before the move, on the empty bridge. */
export function startClient(client: DhcpClient, nic: string, bridge: string, owns: Owns): readonly Step[] {
  const { program } = client;
  if (program === 'dhcpcd') return startDhcpcd(client, nic, bridge, owns);
  const leases = `/run/${program}.${bridge}.leases` as const satisfies FilePath;
  const argv = program === 'udhcpc' ? udhcpc(client, nic, bridge) : dhclient(client, nic, bridge, leases);
  const copied: readonly Step[] =
    client.leases === undefined
      ? []
      : [
          {
            title: `let ${program} know on ${bridge} the lease of ${nic}`,
            do: {
              file: leases,
              content: client.leases.content.replaceAll(`interface "${nic}"`, `interface "${bridge}"`),
              mode: 0o644,
            },
            undo: { restore: true },
            deadlineMs: START_MS,
          },
        ];
  return [
    ...copied,
    {
      title: `start ${program} on ${bridge}`,
      do: { run: ['sh', '-c', LAUNCH, 'sh', ...NOBODY, ...argv] },
      undo: { run: ['sh', '-c', END, 'sh', ...argv], gone: [] },
      owns,
      deadlineMs: START_MS,
    },
  ];
}

/**
 * Now and then it waits for a process of its own that does not hear it (dhcpcd 9.4.1 on a busy host): then all of its
 * process group, which it made for itself, is ended, and what they set stays as well.
 */
const END_DHCPCD = [
  'pid=$(cat "$("$@" -P "$link" 2> /dev/null)" 2> /dev/null)',
  // It does not hear SIGTERM then.
  'timeout -s KILL 4 "$@" -x -p "$link"',
  'status=$?',
  '[ "$status" -eq 137 ] || exit "$status"',
  '[ -n "$pid" ] && [ "$(cat "/proc/$pid/comm")" = dhcpcd ] || exit "$status"',
  's=$(cat "/proc/$pid/stat") || exit 0',
  'set -- ${s##*)}',
  'kill -KILL "-$3"',
].join('\n');

const endDhcpcd = ([path, ...words]: Argv): Argv => [
  ...(['sh', '-c', `link=$1; shift\n${END_DHCPCD}`, 'sh', words.at(-1) ?? '', path] as const),
  ...words.filter((word) => word === '-4' || word === '-6'),
];

/**
 * Its identity is the host's, and the MAC address (IAID); its lease file says which address to ask for. It empties no
 * link, and does not stay on a port: so on the way back it is started after the move.
 */
function startDhcpcd(client: DhcpClient, nic: string, bridge: string, owns: Owns): readonly Step[] {
  const [path, ...words] = client.argv;
  const own: Argv = [path, ...words.slice(0, -1), bridge];
  const lease = (link: string): string => `/var/lib/dhcpcd/${link}.lease`;
  return [
    {
      title: `see that dhcpcd runs on ${nic}`,
      do: { run: ['kill', '-0', String(client.pid)] },
      undo: { run: again(client), gone: [] },
      owns,
      deadlineMs: START_MS,
    },
    {
      title: `let dhcpcd know on ${bridge} the lease of ${nic}`,
      do: { run: ['sh', '-c', '[ ! -e "$1" ] || cp "$1" "$2"', 'sh', lease(nic), lease(bridge)] },
      undo: { run: ['rm', '-f', lease(bridge)], gone: [] },
      owns,
      deadlineMs: START_MS,
    },
    {
      title: `start dhcpcd on ${bridge}`,
      do: { run: ['sh', '-c', LAUNCH, 'sh', ...NOBODY, ...own] },
      undo: { run: endDhcpcd(own), gone: ['not running'] },
      owns,
      deadlineMs: START_MS,
    },
  ];
}

/**
 * Written in place: it may be a mount of its own, as in containers. A link that it became since is somebody else's, and
 * so is what is not what the client wrote, where that is known.
 */
const PUT_BACK = [
  'if [ -L "$1" ]; then exit 0; fi',
  'if [ $# -gt 3 ] && [ "$(cksum < "$1")" != "$4" ]; then exit 0; fi',
  'cat > "$1" && chmod "$2" "$1" && chown "$3" "$1"',
].join('\n');

/** cksum(1) of what is in it now: a line. */
export const SUM_OF_RESOLV_CONF: Argv = ['sh', '-c', 'cksum < "$1"', 'sh', RESOLV_CONF];

const WORDS = ['sh', '-c', PUT_BACK, 'sh'] as const;

/** The way back that leaves alone what has another sum; undefined: this is none. */
export const putBackWhere = (argv: Argv, sum: string): Argv | undefined =>
  argv[2] === PUT_BACK ? [argv[0], ...argv.slice(1, WORDS.length + 3), sum] : undefined;

/** What it was told to look for. */
export const sumIn = (argv: Argv): string | undefined =>
  argv[2] === PUT_BACK ? argv[WORDS.length + 3] : undefined;

/**
 * Before a client that never ran here: the scripts of dhclient and udhcpc write /etc/resolv.conf, and nothing of theirs
 * puts it back. No file step, as it would be for the disk only, and so after the trial.
 */
export function keepResolvConf(file: FileContent): Step {
  const { content, mode, owner = { uid: 0, gid: 0 } } = file;
  const words = [RESOLV_CONF, mode.toString(8), `${owner.uid}:${owner.gid}`] as const;
  return {
    title: `see what is in ${RESOLV_CONF}, which the DHCP client will write`,
    do: { run: ['cat', RESOLV_CONF] },
    undo: { run: [...WORDS, ...words], stdin: content, gone: [] },
    deadlineMs: START_MS,
  };
}

/** With the port in it, and without a lease of old: what the server gives is what the bridge has. */
export function askByDhcp(program: string | undefined, bridge: string, owns: Owns): Step {
  const argv = program === undefined ? undefined : ASK[program]?.(bridge);
  if (argv === undefined)
    throw new QlaunchError('QL_NO_DHCP', EXIT.host, {
      what: `nothing here can ask for an address of ${bridge}`,
      why: [`there is none of ${Object.keys(ASK).join(', ')}`],
      todo: ['sudo apt install isc-dhcp-client', 'or --address CIDR in place of --dhcp'],
    });
  return {
    title: `start ${program} on ${bridge}`,
    do: { run: ['sh', '-c', LAUNCH, 'sh', ...NOBODY, ...argv] },
    undo: { run: ['sh', '-c', END, 'sh', ...argv], gone: [] },
    owns,
    deadlineMs: START_MS,
  };
}

/** In the order of preference: those that keep an identity of their own first. */
const ASK: Readonly<Record<string, (bridge: string) => Argv>> = {
  dhclient: (bridge) => [
    ...(['dhclient', '-4', '-i', '-pf', `/run/dhclient.${bridge}.pid`] as const),
    ...['-lf', `/run/dhclient.${bridge}.leases`, bridge],
  ],
  udhcpc: (bridge) => ['udhcpc', '-b', '-i', bridge, '-p', `/run/udhcpc.${bridge}.pid`],
};

export const DHCP_PROGRAMS: readonly string[] = Object.keys(ASK);

/** The same line with the other name, also in the names of its files. */
const renamed = (argv: Argv, nic: string, bridge: string): Argv => {
  const [program, ...rest] = argv;
  const isPath = (word: string): boolean => word.startsWith('/') && word.split(/[/.]/).includes(nic);
  return [
    program,
    ...rest.map((word) => {
      if (word === nic || word === `-i${nic}` || word === `--interface=${nic}`)
        return word.slice(0, -nic.length) + bridge;
      return isPath(word) ? word.replaceAll(nic, bridge) : word;
    }),
  ];
};

/** Its identity is the MAC address, which is the same; it has no lease file, so it is told what to ask for. */
function udhcpc({ argv, address }: DhcpClient, nic: string, bridge: string): Argv {
  const line = renamed(argv, nic, bridge);
  return address === undefined || line.includes('-r') ? line : [...line, '-r', address];
}

/** dhclient(8): -lf is read at the start and written from then on. */
function dhclient({ argv, leases: own }: DhcpClient, nic: string, bridge: string, leases: string): Argv {
  const line = renamed(argv, nic, bridge);
  if (own === undefined) return line;
  const at = line.indexOf('-lf');
  const [program, ...rest] = line;
  if (at < 0) return [program, '-lf', leases, ...rest];
  return [program, ...rest.map((word, index) => (index === at ? leases : word))];
}
