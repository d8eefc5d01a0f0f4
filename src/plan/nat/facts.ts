/** What of the host a network has to get along with. */
import { type Cidr, overlap } from '../../spec/cidr.ts';
import { formatIp, readIp } from '../../spec/ip.ts';
import type { HostFacts } from '../facts.ts';
import type { FirewallFacts } from '../firewall/peace.ts';
import type { Saved } from './chains.ts';
import type { ChecksumMeans } from './checksum.ts';

/** One row of `ip route show table all`, except default routes. */
export interface RouteFact {
  readonly to: Cidr;
  readonly dev?: string;
  /** "main", "local", "100". */
  readonly table: string;
}

export interface NatFacts extends HostFacts {
  /** Both families, all tables. */
  readonly routes: readonly RouteFact[];
  /** The kernel has IPv6. */
  readonly ipv6: boolean;
  /** Why no network gets IPv6 all the same: "net.ipv6.conf.all.disable_ipv6 is 1". */
  readonly ipv6Off?: string;
  /** Interfaces whose IPv6 lives on router advertisements, or may: the kernel must go on hearing them. */
  readonly advertised?: readonly string[];
  /** The host has name servers (/etc/resolv.conf). */
  readonly resolvConf: boolean;
  /** systemd-resolved runs. */
  readonly resolved?: boolean;
  /** undefined: was not asked for. */
  readonly checksum?: ChecksumMeans;
  /** Bridges to whose guests forwards from 127.0.0.1 lead. */
  readonly loopback?: readonly string[];
  /** What it has; undefined: nft is there, which is taken instead. */
  readonly iptables?: Saved;
  /** Programs whose rules nft does not show: "iptables-legacy". */
  readonly legacy?: readonly string[];
  /** undefined: no rules of others, or none that nft can read. */
  readonly firewall?: FirewallFacts;
}

/** The first route that a subnet would quarrel with: the same, a broader or a narrower one. */
export function routeInTheWay(subnet: Cidr, facts: Pick<NatFacts, 'routes'>): RouteFact | undefined {
  return facts.routes.find(({ to }) => overlap(to, subnet));
}

/** libvirt's own range first. undefined: none of some hundred is free. */
export function freeSubnet(facts: Pick<NatFacts, 'routes'>): Cidr | undefined {
  const third = Array.from({ length: 133 }, (_, i) => `192.168.${122 + i}.0`);
  const second = Array.from({ length: 255 }, (_, i) => `10.${i + 1}.122.0`);
  for (const text of [...third, ...second]) {
    const first = readIp(text);
    if (first === undefined) throw new TypeError(`not an address: ${text}`);
    const subnet = { first, prefix: 24 };
    if (routeInTheWay(subnet, facts) === undefined) return subnet;
  }
  return undefined;
}

/** "192.168.122.0/24 on eth0 (table main)" */
export function renderRoute({ to, dev, table }: RouteFact): string {
  return `${formatIp(to.first)}/${to.prefix}${dev === undefined ? '' : ` on ${dev}`} (table ${table})`;
}
