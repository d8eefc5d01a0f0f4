/** The firewall of one network by nft: one table, which goes as a whole. */
import { DEADLINE_MS, type Step } from '../step.ts';
import { limitRules } from './bandwidth.ts';
import { type DefinedNetwork, isHostBridge } from './defined.ts';
import { type Match, type Rule, rulesOf, type Translate } from './rules.ts';

/** "inet qlaunch_default" */
export const tableOf = (name: string): string => `inet qlaunch_${name}`;

/** undefined for mode open, which leaves the firewall to the administrator, unless guests are not to send all they can. */
export function firewallStep(network: DefinedNetwork, mark: string): Step | undefined {
  if (isHostBridge(network)) return undefined;
  if (network.forward.mode === 'open' && limitRules(network).length === 0) return undefined;
  const table = tableOf(network.name);
  return {
    title: `put the rules of the network ${network.name} into nftables`,
    do: { run: ['nft', '-f', '-'], stdin: renderTable(network, mark) },
    undo: {
      run: ['nft', 'delete', 'table', ...table.split(' ')],
      gone: ['No such file or directory'],
    },
    owns: { nft: table, comment: mark },
    deadlineMs: DEADLINE_MS,
  };
}

/** DHCP, DNS, SSH and TFTP, as libvirt's zone of firewalld has them (its src/network/libvirt.zone). */
const SERVICES = ['udp dport { 53, 67, 69, 547 } counter accept', 'tcp dport { 22, 53 } counter accept'];

/** Where another firewall can only be told to let guests reach all of this host. Can be said again. */
export function hostGuardStep({ name, bridge }: DefinedNetwork): Step {
  const table = tableOf(name);
  const rules = [
    'ct state established,related accept',
    'meta l4proto { icmp, ipv6-icmp } accept',
    ...SERVICES,
    'counter reject',
  ];
  const lines = [
    `add chain ${table} host { type filter hook input priority filter; policy accept; }`,
    `flush chain ${table} host`,
    ...rules.map((rule) => `add rule ${table} host iifname "${bridge.name}" ${rule}`),
  ];
  return {
    title: `keep guests of ${bridge.name} from all of this host but DHCP, DNS, SSH and TFTP`,
    do: { run: ['nft', '-f', '-'], stdin: [...lines, ''].join('\n') },
    undo: { nothing: `goes away with the table ${table}` },
    deadlineMs: DEADLINE_MS,
  };
}

/** For `nft -f`. One transaction; refused where the table is there already. */
export function renderTable(network: DefinedNetwork, mark: string): string {
  const table = tableOf(network.name);
  const { guard, forward, mss, postrouting } = rulesOf(network);
  const chains: [name: string, hook: string, rules: readonly string[]][] = [
    ['guard', 'filter hook prerouting priority raw', [...guard.map(say), ...limitRules(network)]],
    ['forward', 'filter hook forward priority filter', forward.map(say)],
    ['mss', 'filter hook forward priority mangle', mss.map(say)],
    ['postrouting', 'nat hook postrouting priority srcnat', postrouting.map(say)],
  ];
  const lines = chains
    .filter(([, , rules]) => rules.length > 0)
    .flatMap(([name, hook, rules]) => [
      `add chain ${table} ${name} { type ${hook}; policy accept; }`,
      ...rules.map((rule) => `add rule ${table} ${name} ${rule}`),
    ]);
  return [`create table ${table} { comment "${mark}"; }`, ...lines, ''].join('\n');
}

const say = ({ match, verdict }: Rule): string => {
  const what = typeof verdict === 'object' ? translate(verdict) : VERDICTS[verdict];
  return [...match.map(matched), 'counter', what].join(' ');
};

const VERDICTS = {
  accept: 'accept',
  drop: 'drop',
  reject: 'reject',
  return: 'return',
  clamp: 'tcp option maxseg size set rt mtu',
} as const;

function matched([what, value = '']: Match): string {
  const header = value.includes(':') ? 'ip6' : 'ip';
  const words = {
    in: `iifname "${value}"`,
    out: `oifname "${value}"`,
    from: `${header} saddr ${value}`,
    to: `${header} daddr ${value}`,
    'not to': `${header} daddr != ${value}`,
    proto: `meta l4proto ${value}`,
    answers: 'ct state established,related',
    forwarded: 'ct status dnat',
    syn: 'tcp flags & (syn|rst) == syn',
  };
  return words[what];
}

function translate({ family, to, ports }: Translate): string {
  const colon = ports === undefined ? '' : `:${ports}`;
  if (to === undefined) return colon === '' ? 'masquerade' : `masquerade to ${colon}`;
  const range = family === 6 && ports !== undefined ? `[${to.start}]-[${to.end}]` : `${to.start}-${to.end}`;
  return `snat ${family === 4 ? 'ip' : 'ip6'} to ${range}${colon}`;
}
