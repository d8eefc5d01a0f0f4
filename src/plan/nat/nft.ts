/**
 * The firewall of one network: one table, which goes as a whole. What passes is what libvirt lets pass (its
 * src/network/network_nftables.c): between guests, out from the subnet, back in what belongs to it, nothing else.
 */
import { type Cidr, contains, formatCidr } from '../../spec/cidr.ts';
import { formatIp, type Ip } from '../../spec/ip.ts';
import type { Forwarding, NetworkIp } from '../../spec/nat/network.ts';
import { DEADLINE_MS, type Step } from '../step.ts';
import { limitRules } from './bandwidth.ts';
import { type DefinedNetwork, isHostBridge } from './defined.ts';

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
  const chains: [name: string, hook: string, rules: readonly string[]][] = [
    ['guard', 'filter hook prerouting priority raw', guardRules(network)],
    ['forward', 'filter hook forward priority filter', forwardRules(network)],
    ['mss', 'filter hook forward priority mangle', mssRules(network)],
    [
      'postrouting',
      'nat hook postrouting priority srcnat',
      network.ips.flatMap((ip) => natRules(network.forward, ip)),
    ],
  ];
  const lines = chains
    .filter(([, , rules]) => rules.length > 0)
    .flatMap(([name, hook, rules]) => [
      `add chain ${table} ${name} { type ${hook}; policy accept; }`,
      ...rules.map((rule) => `add rule ${table} ${name} ${rule}`),
    ]);
  return [`create table ${table} { comment "${mark}"; }`, ...lines, ''].join('\n');
}

/**
 * Before conntrack, which gives an answer of a forward the address 127.0.0.1 only later. With route_localnet this host
 * would believe a guest that it comes from there, too.
 */
function guardRules(network: DefinedNetwork): readonly string[] {
  const { bridge, forward } = network;
  const loopback =
    forward.mode === 'nat'
      ? ['daddr', 'saddr'].map((end) => `iifname "${bridge.name}" ip ${end} 127.0.0.0/8 counter drop`)
      : [];
  return [...loopback, ...limitRules(network)];
}

function forwardRules({ bridge: { name }, forward, ips, isolated }: DefinedNetwork): readonly string[] {
  if (forward.mode === 'open') return [];
  const [inward, outward] = [`oifname "${name}"`, `iifname "${name}"`];
  const dev = (word: string): string => (forward.dev === undefined ? '' : ` ${word} "${forward.dev}"`);
  const state = (ip: NetworkIp): string => (isNated(forward, ip) ? ' ct state established,related' : '');
  const open = forward.mode === 'none' ? [] : ips;
  return [
    // Isolated ports do not reach each other by way of this host either.
    ...(isolated ? [] : [`${outward} ${inward} counter accept`]),
    // What somebody forwards to a guest is meant to get there.
    ...(forward.mode === 'nat' ? [`${inward} ct status dnat counter accept`] : []),
    ...open.map(
      (ip) =>
        `${inward}${dev('iifname')} ${wordOf(ip)} daddr ${formatCidr(ip.subnet)}${state(ip)} counter accept`,
    ),
    `${inward} counter reject`,
    ...open.map(
      (ip) => `${outward}${dev('oifname')} ${wordOf(ip)} saddr ${formatCidr(ip.subnet)} counter accept`,
    ),
    `${outward} counter reject`,
  ];
}

/** A guest behind an uplink with a smaller MTU (PPPoE, VPN) need not rely on ICMP to find it out. */
function mssRules({ bridge: { name }, forward }: DefinedNetwork): readonly string[] {
  if (forward.mode === 'none' || forward.mode === 'open') return [];
  const clamp = 'tcp flags & (syn|rst) == syn counter tcp option maxseg size set rt mtu';
  return [`iifname "${name}" ${clamp}`, `oifname "${name}" ${clamp}`];
}

/** The header that a rule speaks of. */
const wordOf = ({ address }: NetworkIp): string => (address.family === 4 ? 'ip' : 'ip6');

/** RFC 4193: addresses that no router outside knows a way to. */
const UNIQUE_LOCAL: Cidr = { first: { family: 6, value: 0xfcn << 120n }, prefix: 7 };

/** All of IPv4; of IPv6 what is asked for, and unless something is, what could not get an answer otherwise. */
function isNated({ mode, nat6 }: Forwarding, { address }: NetworkIp): boolean {
  if (mode !== 'nat' || address.family === 4) return mode === 'nat';
  return nat6 ?? contains(UNIQUE_LOCAL, address);
}

/** To these nobody answers but who is on the same wire. */
const ON_THE_WIRE = { 4: ['224.0.0.0/24', '255.255.255.255'], 6: ['ff02::/16'] } as const;

/** No source port below 1024: servers (NFS) take such a port for a sign that root of this host speaks. */
function natRules(forward: Forwarding, ip: NetworkIp): readonly string[] {
  const { dev, ports, addresses } = forward;
  if (!isNated(forward, ip)) return [];
  const [net, word] = [formatCidr(ip.subnet), wordOf(ip)];
  const { family } = ip.address;
  const from = `${word} saddr ${net} ${word} daddr != ${net}${dev === undefined ? '' : ` oifname "${dev}"`}`;
  const range = `:${ports?.start ?? 1024}-${ports?.end ?? 65_535}`;
  const to = addresses?.start.family === family ? addresses : undefined;
  const bracket = ({ start, end }: { readonly start: Ip; readonly end: Ip }, port: string): string =>
    family === 6 && port !== ''
      ? `[${formatIp(start)}]-[${formatIp(end)}]`
      : `${formatIp(start)}-${formatIp(end)}`;
  const translate = (port: string): string =>
    to === undefined
      ? `masquerade${port === '' ? '' : ` to ${port}`}`
      : `snat ${word} to ${bracket(to, port)}${port}`;
  return [
    ...ON_THE_WIRE[family].map((there) => `${word} saddr ${net} ${word} daddr ${there} counter return`),
    `meta l4proto tcp ${from} counter ${translate(range)}`,
    `meta l4proto udp ${from} counter ${translate(range)}`,
    `${from} counter ${translate('')}`,
  ];
}
