/** dnsmasq for one network: DHCP, and DNS on the network's bridge only. Options as in dnsmasq(8). */
import { type Cidr, lastAddress } from '../../spec/cidr.ts';
import { formatIp } from '../../spec/ip.ts';
import type { Dhcp, DhcpHost, DhcpRange, NetworkIp } from '../../spec/nat/network.ts';
import type { Argv, FilePath } from '../step.ts';
import type { DefinedNetwork } from './defined.ts';
import { recordLines, serverLine, zoneOf } from './records.ts';

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
  ips.length > 0 && (dns || ips.some(({ dhcp, address }) => dhcp !== undefined || address.family === 6));

/** Goes to the background when it is ready; status and stderr tell why not. */
export const dnsmasqArgv = ({ conf }: Pick<DnsmasqPaths, 'conf'>): Argv => ['dnsmasq', `--conf-file=${conf}`];

/** @param resolvConf the host knows name servers */
export function dnsmasqConf(network: DefinedNetwork, paths: DnsmasqPaths, resolvConf: boolean): string {
  const { name, bridge, forward, domain, dns, mtu } = network;
  const isolated = forward.mode === 'none';
  const { forwarders, forwardPlain } = network.names;
  const lines = [
    `# Written by qlaunch for the network ${name}. To change it: qlaunch net define FILE`,
    'strict-order',
    ...(dns ? [] : ['port=0']),
    ...forwarders.map(serverLine),
    ...(domain === undefined ? [] : [`domain=${domain.name}`, 'expand-hosts']),
    ...(domain?.localOnly === true || domain?.register === true ? [`local=/${domain.name}/`] : []),
    ...network.ips.flatMap((ip) => (ip.localPtr === true ? [`local=/${zoneOf(ip.subnet)}/`] : [])),
    ...(forwardPlain ? [] : ['domain-needed', 'local=//']),
    // Who names other servers does not want those of the host.
    ...(isolated || !resolvConf || forwarders.some((one) => one.address && !one.domain) ? ['no-resolv'] : []),
    `pid-file=${paths.pid}`,
    'except-interface=lo',
    // Without it the resolver answers the outside world as well: CVE-2012-3411.
    'bind-dynamic',
    `interface=${bridge.name}`,
    // Guests of an isolated network get no router.
    ...(isolated ? ['dhcp-option=3', 'ra-param=*,0,0'] : []),
    ...(dns ? recordLines(network.names, domain?.name) : []),
    ...addressLines(network, paths),
    ...(mtu === undefined ? [] : [`dhcp-option=option:mtu,${mtu}`]),
    ...network.options,
  ];
  return `${lines.join('\n')}\n`;
}

function addressLines({ ips }: DefinedNetwork, paths: DnsmasqPaths): readonly string[] {
  const asked = ips.flatMap(({ dhcp }) => dhcp ?? []);
  const by6 = ips.filter(({ address }) => address.family === 6);
  const served = ips.flatMap(({ tftp }) => tftp ?? []);
  const isGiven = ips.some(({ address, dhcp }) => address.family === 4 && dhcp !== undefined);
  const size = asked.flatMap(({ ranges }) => ranges).reduce((sum, range) => sum + sizeOf(range), 0);
  return [
    ...ips.flatMap(rangeLines),
    ...(isGiven ? ['dhcp-no-override', 'dhcp-authoritative'] : []),
    // An installer and the system it installs have different client ids: one MAC, one address all the same.
    ...(isGiven ? ['dhcp-ignore-clid'] : []),
    ...(size === 0 ? [] : [`dhcp-lease-max=${size}`]),
    ...(asked.length === 0 && by6.length === 0 ? [] : [`dhcp-leasefile=${paths.leases}`]),
    ...(isGiven ? [`dhcp-hostsdir=${paths.hosts}`] : []),
    ...asked.flatMap(({ hosts }) => hosts.map(hostLine)),
    ...served.flatMap((root) => ['enable-tftp', `tftp-root=${root}`]),
    ...asked.flatMap(({ bootp }) => (bootp === undefined ? [] : [bootLine(bootp)])),
    ...(by6.some(({ dhcp }) => dhcp !== undefined) ? ['enable-ra'] : []),
  ];
}

const bootLine = ({ file, server }: NonNullable<Dhcp['bootp']>): string =>
  `dhcp-boot=${file}${server === undefined ? '' : `,,${server}`}`;

/** More leases than dnsmasq, which looks through all of them, is made for. */
const MAX_LEASES = 65_536n;

function sizeOf({ start, end }: DhcpRange): number {
  const size = end.value - start.value + 1n;
  return Number(size < MAX_LEASES ? size : MAX_LEASES);
}

function rangeLines({ address, subnet, dhcp }: NetworkIp): readonly string[] {
  const gateway = formatIp(address);
  // Guests make an address of their own (RFC 4862).
  if (dhcp === undefined) return address.family === 6 ? [`dhcp-range=${gateway},ra-only`] : [];
  if (dhcp.ranges.length > 0) return dhcp.ranges.map((range) => rangeLine(range, subnet));
  // Only the hosts that are listed.
  return dhcp.hosts.length > 0 ? [`dhcp-range=${gateway},static`] : [];
}

function rangeLine({ start, end, leaseSeconds }: DhcpRange, subnet: Cidr): string {
  const lease = leaseSeconds === undefined ? [] : [leaseSeconds === 0 ? 'infinite' : `${leaseSeconds}s`];
  return `dhcp-range=${[formatIp(start), formatIp(end), ...maskWords(subnet), ...lease].join(',')}`;
}

/** Guests without a DHCPv6 client (Android, a bare kernel) make an address of their own where that is possible. */
function maskWords(subnet: Cidr): readonly string[] {
  if (subnet.first.family === 6) return [...(subnet.prefix === 64 ? ['slaac'] : []), `${subnet.prefix}`];
  const last = (1n << 32n) - 1n - (lastAddress(subnet).value - subnet.first.value);
  return [formatIp({ family: 4, value: last })];
}

function hostLine({ mac, duid, ip, name, leaseSeconds }: DhcpHost): string {
  const words = [
    mac ?? (duid === undefined ? undefined : `id:${duid}`),
    ip === undefined ? undefined : ip.family === 6 ? `[${formatIp(ip)}]` : formatIp(ip),
    name,
    leaseSeconds === undefined ? undefined : leaseSeconds === 0 ? 'infinite' : `${leaseSeconds}s`,
  ];
  return `dhcp-host=${words.filter((word) => word !== undefined).join(',')}`;
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
