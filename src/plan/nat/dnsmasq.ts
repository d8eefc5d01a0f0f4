/** dnsmasq for one network: DHCP, and DNS on the network's bridge only. Options as in dnsmasq(8). */
import { type Cidr, lastAddress } from '../../spec/cidr.ts';
import { formatIp } from '../../spec/ip.ts';
import type { Dhcp, DhcpHost, DhcpRange } from '../../spec/nat/network.ts';
import type { Argv, FilePath } from '../step.ts';
import type { DefinedNetwork } from './defined.ts';

/** Absolute. */
export interface DnsmasqPaths {
  readonly conf: FilePath;
  readonly pid: FilePath;
  readonly leases: FilePath;
  /** A directory: per VM what it is to get. */
  readonly hosts: FilePath;
}

/** It has something to do: an address to answer on. */
export const needsDnsmasq = ({ ips, dns }: DefinedNetwork): boolean =>
  ips.length > 0 && (dns || ips.some(({ dhcp }) => dhcp !== undefined));

/** Goes to the background when it is ready; status and stderr tell why not. */
export const dnsmasqArgv = ({ conf }: Pick<DnsmasqPaths, 'conf'>): Argv => ['dnsmasq', `--conf-file=${conf}`];

/** @param resolvConf the host knows name servers */
export function dnsmasqConf(network: DefinedNetwork, paths: DnsmasqPaths, resolvConf: boolean): string {
  const { name, bridge, forward, domain, dns, mtu } = network;
  const isolated = forward.mode === 'none';
  const lines = [
    `# Written by qlaunch for the network ${name}. To change it: qlaunch net define FILE`,
    'strict-order',
    ...(dns ? [] : ['port=0']),
    ...(domain === undefined ? [] : [`domain=${domain.name}`, 'expand-hosts']),
    ...(domain?.localOnly === true ? [`local=/${domain.name}/`] : []),
    ...(isolated || !resolvConf ? ['no-resolv'] : []),
    `pid-file=${paths.pid}`,
    'except-interface=lo',
    // Without it the resolver answers the outside world as well: CVE-2012-3411.
    'bind-dynamic',
    `interface=${bridge.name}`,
    // Guests of an isolated network get no router.
    ...(isolated ? ['dhcp-option=3'] : []),
    ...network.ips.flatMap(({ dhcp, subnet, address }) =>
      dhcp === undefined ? [] : dhcpLines(dhcp, subnet, formatIp(address), paths),
    ),
    ...(mtu === undefined ? [] : [`dhcp-option=option:mtu,${mtu}`]),
  ];
  return `${lines.join('\n')}\n`;
}

function dhcpLines(
  { ranges, hosts }: Dhcp,
  subnet: Cidr,
  gateway: string,
  { leases, hosts: ofVms }: DnsmasqPaths,
): readonly string[] {
  const size = ranges.reduce((sum, { start, end }) => sum + Number(end.value - start.value) + 1, 0);
  return [
    ...ranges.map((range) => rangeLine(range, subnet)),
    // Only the hosts that are listed.
    ...(ranges.length === 0 && hosts.length > 0 ? [`dhcp-range=${gateway},static`] : []),
    'dhcp-no-override',
    'dhcp-authoritative',
    // An installer and the system it installs have different client ids: one MAC, one address all the same.
    'dhcp-ignore-clid',
    ...(size === 0 ? [] : [`dhcp-lease-max=${size}`]),
    `dhcp-leasefile=${leases}`,
    `dhcp-hostsdir=${ofVms}`,
    ...hosts.map(hostLine),
  ];
}

function rangeLine({ start, end, leaseSeconds }: DhcpRange, subnet: Cidr): string {
  const mask = formatIp({
    family: 4,
    value: (1n << 32n) - 1n - (lastAddress(subnet).value - subnet.first.value),
  });
  const lease = leaseSeconds === undefined ? [] : [leaseSeconds === 0 ? 'infinite' : `${leaseSeconds}s`];
  return `dhcp-range=${[formatIp(start), formatIp(end), mask, ...lease].join(',')}`;
}

function hostLine({ mac, ip, name }: DhcpHost): string {
  const words = [mac, ...(ip === undefined ? [] : [formatIp(ip)]), ...(name === undefined ? [] : [name])];
  return `dhcp-host=${words.join(',')}`;
}

/**
 * Ends the dnsmasq that runs with our configuration, and no other process that has got its number. `$1` its pid file,
 * `$2` its configuration.
 */
const STOP_DNSMASQ: string = [
  'pid=$(cat "$1" 2>/dev/null) || exit 0',
  'ours() { tr "\\0" "\\n" < "/proc/$pid/cmdline" 2>/dev/null | grep -qxF -e "--conf-file=$1"; }',
  'tries=0',
  'while ours "$2"; do',
  '  if [ $tries -lt 100 ]; then kill "$pid"; else kill -9 "$pid"; fi 2>/dev/null',
  '  [ $tries -lt 150 ] || exit 1',
  '  tries=$((tries + 1)); sleep 0.02',
  'done',
  'rm -f "$1"',
].join('\n');

/** It reads what is in `hosts` again. `$1` and `$2` as above. */
const RELOAD_DNSMASQ: string = [
  'pid=$(cat "$1" 2>/dev/null) || exit 0',
  'tr "\\0" "\\n" < "/proc/$pid/cmdline" 2>/dev/null | grep -qxF -e "--conf-file=$2" || exit 0',
  'kill -HUP "$pid"',
].join('\n');

export const reloadDnsmasqArgv = ({ pid, conf }: Pick<DnsmasqPaths, 'pid' | 'conf'>): Argv => [
  '/bin/sh',
  '-c',
  RELOAD_DNSMASQ,
  'reload-dnsmasq',
  pid,
  conf,
];

export const stopDnsmasqArgv = ({ pid, conf }: Pick<DnsmasqPaths, 'pid' | 'conf'>): Argv => [
  '/bin/sh',
  '-c',
  STOP_DNSMASQ,
  'stop-dnsmasq',
  pid,
  conf,
];
