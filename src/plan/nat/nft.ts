/**
 * The firewall of one network: one table, which goes as a whole. What passes is what libvirt lets pass (its
 * src/network/network_nftables.c): between guests, out from the subnet, back in what belongs to it, nothing else.
 */
import { formatCidr } from '../../spec/cidr.ts';
import { formatIp } from '../../spec/ip.ts';
import type { Forwarding, NetworkIp } from '../../spec/nat/network.ts';
import { DEADLINE_MS, type Step } from '../step.ts';
import type { DefinedNetwork } from './defined.ts';

/** "inet qlaunch_default" */
export const tableOf = (name: string): string => `inet qlaunch_${name}`;

/** undefined for mode open, which leaves the firewall to the administrator. */
export function firewallStep(network: DefinedNetwork, mark: string): Step | undefined {
  if (network.forward.mode === 'open') return undefined;
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

/** Before conntrack, which gives an answer of a forward the address 127.0.0.1 only later. */
function guardRules({ bridge: { name }, forward }: DefinedNetwork): readonly string[] {
  return forward.mode === 'nat' ? [`iifname "${name}" ip daddr 127.0.0.0/8 counter drop`] : [];
}

function forwardRules({ bridge: { name }, forward, ips }: DefinedNetwork): readonly string[] {
  const [inward, outward] = [`oifname "${name}"`, `iifname "${name}"`];
  const dev = (word: string): string => (forward.dev === undefined ? '' : ` ${word} "${forward.dev}"`);
  const state = forward.mode === 'nat' ? ' ct state established,related' : '';
  const open = forward.mode === 'none' ? [] : ips.map(({ subnet }) => formatCidr(subnet));
  return [
    `${outward} ${inward} counter accept`,
    // What somebody forwards to a guest is meant to get there.
    ...(forward.mode === 'nat' ? [`${inward} ct status dnat counter accept`] : []),
    ...open.map((net) => `${inward}${dev('iifname')} ip daddr ${net}${state} counter accept`),
    `${inward} counter reject`,
    ...open.map((net) => `${outward}${dev('oifname')} ip saddr ${net} counter accept`),
    `${outward} counter reject`,
  ];
}

/** A guest behind an uplink with a smaller MTU (PPPoE, VPN) need not rely on ICMP to find it out. */
function mssRules({ bridge: { name }, forward }: DefinedNetwork): readonly string[] {
  if (forward.mode === 'none') return [];
  const clamp = 'tcp flags & (syn|rst) == syn counter tcp option maxseg size set rt mtu';
  return [`iifname "${name}" ${clamp}`, `oifname "${name}" ${clamp}`];
}

/** No source port below 1024: servers (NFS) take such a port for a sign that root of this host speaks. */
function natRules({ mode, dev, ports, addresses }: Forwarding, { subnet }: NetworkIp): readonly string[] {
  if (mode !== 'nat') return [];
  const net = formatCidr(subnet);
  const from = `ip saddr ${net} ip daddr != ${net}${dev === undefined ? '' : ` oifname "${dev}"`}`;
  const range = `:${ports?.start ?? 1024}-${ports?.end ?? 65_535}`;
  const to = addresses === undefined ? undefined : `${formatIp(addresses.start)}-${formatIp(addresses.end)}`;
  const translate = (port: string): string =>
    to === undefined ? `masquerade${port === '' ? '' : ` to ${port}`}` : `snat ip to ${to}${port}`;
  return [
    `ip saddr ${net} ip daddr 224.0.0.0/24 counter return`,
    `ip saddr ${net} ip daddr 255.255.255.255 counter return`,
    `meta l4proto tcp ${from} counter ${translate(range)}`,
    `meta l4proto udp ${from} counter ${translate(range)}`,
    `${from} counter ${translate('')}`,
  ];
}
