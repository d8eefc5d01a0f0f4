/** IPv6 of a network: when it stays off, what the bridge and the host need for it, and a prefix of its own. */
import { createHash } from 'node:crypto';
import { EXIT, QlaunchError } from '../../errors.ts';
import { type Cidr, formatCidr } from '../../spec/cidr.ts';
import { DEADLINE_MS, type HostPath, type Step } from '../step.ts';
import { IPV6_FORWARD, keepHearing, shareAttribute } from '../sysctl.ts';
import type { DefinedNetwork } from './defined.ts';
import { type NatFacts, routeInTheWay } from './facts.ts';

export interface Reachable {
  readonly network: DefinedNetwork;
  /** What of it this host can not do. */
  readonly notes: readonly string[];
}

/** The network as far as this host goes. Throws QL_NET_IPV6 (exit 3) when nothing of it is left. */
export function onThisHost(network: DefinedNetwork, facts: NatFacts): Reachable {
  const off = facts.ipv6 ? facts.ipv6Off : 'this kernel has no IPv6';
  const ips = network.ips.filter(({ address }) => address.family === 4);
  if (off === undefined || ips.length === network.ips.length) return { network, notes: [] };
  if (ips.length === 0)
    throw new QlaunchError('QL_NET_IPV6', EXIT.refused, {
      what: `the network ${network.name} has IPv6 only, and this host has none`,
      why: [off],
    });
  const routes = network.routes.filter(({ to }) => to.first.family === 4);
  return {
    network: { ...network, ips, routes },
    notes: [`the network ${network.name} has no IPv6 here: ${off}`],
  };
}

/** A guest's router advertisements must not tell the host where to send its packets. */
export function bridgeIPv6({ bridge: { name }, ips }: DefinedNetwork): readonly Step[] {
  const set = (attribute: string, value: string, title: string): Step => ({
    title,
    do: { write: `/proc/sys/net/ipv6/conf/${name}/${attribute}` as HostPath, value },
    undo: { nothing: `goes away with ${name}` },
    deadlineMs: DEADLINE_MS,
  });
  const hasIPv6 = ips.some(({ address }) => address.family === 6);
  return [
    hasIPv6
      ? set('disable_ipv6', '0', `let ${name} have IPv6`)
      : set('disable_ipv6', '1', `keep IPv6 off on ${name}, which has no IPv6 address`),
    set('accept_ra', '0', `ignore router advertisements on ${name}`),
    set('autoconf', '0', `take no IPv6 address from guests on ${name}`),
    // And no waiting: the bridge has its addresses, link-local too, before its first port is there.
    ...(hasIPv6 ? [set('accept_dad', '0', `let no guest deny ${name} its addresses`)] : []),
  ];
}

/**
 * A host that routes hears no router advertisements, and forgets what it has heard, where accept_ra is not 2
 * (addrconf_fixup_forwarding() and ipv6_accept_ra() in linux/net/ipv6/addrconf.c): it would lose its default route.
 */
export function routeIPv6({ forward, ips }: DefinedNetwork, facts: NatFacts): readonly Step[] {
  if (forward.mode === 'none' || ips.every(({ address }) => address.family === 4)) return [];
  return [
    ...(facts.advertised ?? []).map(keepHearing),
    shareAttribute(IPV6_FORWARD, '1', 'let the host route IPv6'),
  ];
}

/**
 * RFC 4193, 3.2: 40 bits that others hardly have, so that networks which meet one day do not quarrel.
 * @param seed of this host; the same gives the same, as long as no route is in the way
 */
export function uniqueLocal(seed: string, facts: Pick<NatFacts, 'routes'>): Cidr {
  for (let nth = 0; ; nth += 1) {
    const hash = createHash('sha256').update(`qlaunch ula 1\0${seed}\0${nth}`).digest('hex').slice(0, 10);
    const subnet: Cidr = { first: { family: 6, value: BigInt(`0xfd${hash}`) << 80n }, prefix: 64 };
    if (routeInTheWay(subnet, facts) === undefined) return subnet;
    if (nth > 1000) throw new RangeError(`every route is in the way of ${formatCidr(subnet)}`);
  }
}
