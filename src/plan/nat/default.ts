/** The network that is there without being defined: libvirt's `default`, or ours beside it. */
import { lastAddress, nthAddress, parseCidr } from '../../spec/cidr.ts';
import { formatIp, type Ip } from '../../spec/ip.ts';
import { isProblem } from '../../spec/raw.ts';
import { linkNamed } from '../facts.ts';
import { freeSubnet, type NatFacts, routeInTheWay } from './facts.ts';
import { uniqueLocal } from './ipv6.ts';

export const DEFAULT = 'default';

/**
 * libvirt's template, with IPv6, and without STP as in spec/nat/compose.ts: a guest is heard at once, and not after four
 * seconds. Where libvirt is installed, its names and its subnet are its own, also while it is not running.
 * @param seed of this host: the IPv6 prefix is made of it
 */
export function defaultXml(facts: NatFacts, libvirt: boolean, seed: string): string {
  const usual = parseCidr('192.168.122.0/24', DEFAULT);
  if (isProblem(usual)) throw new TypeError(usual.what);
  const isFree = !libvirt && routeInTheWay(usual, facts) === undefined;
  const subnet = isFree
    ? usual
    : (freeSubnet({ routes: [...facts.routes, { to: usual, table: DEFAULT }] }) ?? usual);
  const at = (n: bigint): string => formatIp(nthAddress(subnet, n) ?? subnet.first);
  const subnet6 = uniqueLocal(seed, facts);
  const at6 = (n: bigint): string => formatIp(nthAddress(subnet6, n) ?? subnet6.first);
  const last: Ip = { ...subnet.first, value: lastAddress(subnet).value - 1n };
  const bridge = libvirt || linkNamed(facts, 'virbr0') !== undefined ? freeBridge(facts, []) : 'virbr0';
  return `<network>
  <name>${DEFAULT}</name>
  <forward mode="nat"/>
  <bridge name="${bridge}" stp="off" delay="0"/>
  <ip address="${at(1n)}" netmask="255.255.255.0">
    <dhcp>
      <range start="${at(2n)}" end="${formatIp(last)}"/>
    </dhcp>
  </ip>
  <ip family="ipv6" address="${at6(1n)}" prefix="64">
    <dhcp>
      <range start="${at6(0x100n)}" end="${at6(0x1ffn)}"/>
    </dhcp>
  </ip>
</network>
`;
}

/** @param taken bridges of other definitions */
export function freeBridge(facts: Pick<NatFacts, 'links'>, taken: readonly string[]): string {
  for (let n = 0; ; n += 1) {
    const name = `qbr${n}`;
    if (!taken.includes(name) && facts.links.every(({ ifname }) => ifname !== name)) return name;
  }
}
