/**
 * The checksum of DHCP answers. The kernel leaves it to the hardware, which a tap is not: the guest's kernel is told so,
 * but clients that read whole packets (FreeBSD's, old dhclients) see a wrong one and wait for ever.
 */
import { DEADLINE_MS, type Owns, type Step } from '../step.ts';
import type { DefinedNetwork } from './defined.ts';

/** What of it this host has; `none`: neither. */
export type ChecksumMeans = 'tc' | 'iptables' | 'none';

/** As libvirt's filter (its src/util/virnetdevbandwidth.c), at a place that no other qdisc takes. @param dev a link */
export const tcWords = (dev: string): readonly [string, ...string[]][] => [
  ['tc', 'qdisc', 'replace', 'dev', dev, 'clsact'],
  [
    ...(['tc', 'filter', 'add', 'dev', dev, 'egress', 'prio', '2', 'protocol', 'ip', 'u32'] as const),
    ...['match', 'ip', 'protocol', '17', '0xff', 'match', 'ip', 'dport', '68', '0xffff'],
    ...['action', 'csum', 'ip', 'and', 'udp'],
  ],
];

export const iptablesRule = (bridge: string, mark: string): readonly string[] => [
  ...['POSTROUTING', '-o', bridge, '-p', 'udp', '--dport', '68', '-m', 'comment', '--comment', mark],
  ...['-j', 'CHECKSUM', '--checksum-fill'],
];

/** Behind the rule: what iptables-nft made for it, where nobody else uses it. `$@` the rule. */
const DELETE_RULE: string = [
  'iptables -w -t mangle -D "$@" 2>/dev/null',
  '! iptables -w -t mangle -C "$@" 2>/dev/null || exit 1',
  'command -v nft >/dev/null || exit 0',
  'left=$(nft list table ip mangle 2>/dev/null | grep -v "^table ip mangle {$\\|^}$\\|^$" | tr -d "\\t\\n")',
  '[ "$left" != "chain POSTROUTING {type filter hook postrouting priority mangle; policy accept;}" ] ||',
  '  nft delete table ip mangle',
].join('\n');

const gives = ({ ips }: DefinedNetwork): boolean =>
  ips.some(({ address, dhcp }) => address.family === 4 && dhcp !== undefined);

/** @param means undefined: it was not asked for */
export function checksumSteps(
  network: DefinedNetwork,
  means: ChecksumMeans | undefined,
  mark: string,
): readonly Step[] {
  const { name } = network.bridge;
  if (!gives(network) || means === undefined || means === 'none') return [];
  const title = `complete the checksum of DHCP answers on ${name}`;
  if (means === 'tc')
    return tcWords(name).map((run) => ({
      title,
      do: { run },
      undo: { nothing: `goes away with ${name}` },
      deadlineMs: DEADLINE_MS,
    }));
  const rule = iptablesRule(name, mark);
  const owns: Owns = { itself: `only the rule with the comment ${mark} is deleted` };
  return [
    {
      title,
      do: { run: ['iptables', '-w', '-t', 'mangle', '-A', ...rule] },
      undo: { run: ['/bin/sh', '-c', DELETE_RULE, 'delete-rule', ...rule], gone: [] },
      owns,
      deadlineMs: DEADLINE_MS,
    },
  ];
}

/** For `net start` and `net check`. */
export const checksumNote = (
  network: DefinedNetwork,
  means: ChecksumMeans | undefined,
): string | undefined =>
  gives(network) && means === 'none'
    ? `guests with FreeBSD or an old dhclient may not take DHCP answers on ${network.bridge.name}: this kernel has no act_csum, and there is no iptables with CHECKSUM, to complete their checksum`
    : undefined;
