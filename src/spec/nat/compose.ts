/** A definition from a few words: what `net create` takes. The text is read and checked like anybody's. */
import { type Cidr, contains, lastAddress, nthAddress } from '../cidr.ts';
import { formatIp, type Ip } from '../ip.ts';

export interface Composition {
  readonly name: string;
  /** "isolated" is libvirt's network without <forward>. */
  readonly mode: 'nat' | 'route' | 'open' | 'isolated';
  /** IPv4, prefix at most 29: a gateway, a guest and room. */
  readonly subnet: Cidr;
  /** The gateway's; the first of the subnet unless given. */
  readonly address?: Ip;
  /** The whole subnet unless given; null: no DHCP. */
  readonly range?: { readonly start: Ip; readonly end: Ip } | null;
  readonly bridge?: string;
  readonly dev?: string;
  readonly domain?: string;
  readonly mtu?: number;
}

export function composeNetwork(wish: Composition): string {
  const { name, mode, subnet, bridge, dev, domain, mtu } = wish;
  const gateway = wish.address ?? nthAddress(subnet, 1n) ?? subnet.first;
  const range = wish.range === undefined ? wholeRange(subnet, gateway) : wish.range;
  const forward = mode === 'isolated' ? [] : [`  <forward mode="${mode}"${given('dev', dev)}/>`];
  const ip = `address="${formatIp(gateway)}" prefix="${subnet.prefix}"`;
  return [
    '<network>',
    `  <name>${escapeXml(name)}</name>`,
    ...forward,
    // With STP a guest hears nothing for four seconds, whatever the delay: the kernel's least (br_stp_start() in
    // linux/net/bridge/br_stp_if.c). A bridge whose only ports are guests has no loop.
    `  <bridge${given('name', bridge)} stp="off" delay="0"/>`,
    ...(mtu === undefined ? [] : [`  <mtu size="${mtu}"/>`]),
    ...(domain === undefined ? [] : [`  <domain${given('name', domain)} localOnly="yes"/>`]),
    ...(range === null
      ? [`  <ip ${ip}/>`]
      : [
          `  <ip ${ip}>`,
          '    <dhcp>',
          `      <range start="${formatIp(range.start)}" end="${formatIp(range.end)}"/>`,
          '    </dhcp>',
          '  </ip>',
        ]),
    '</network>',
    '',
  ].join('\n');
}

/** From the gateway on, for all but the broadcast address. */
function wholeRange(subnet: Cidr, gateway: Ip): { start: Ip; end: Ip } {
  const end = { ...subnet.first, value: lastAddress(subnet).value - 1n };
  const next = { ...gateway, value: gateway.value + 1n };
  if (contains(subnet, next) && next.value <= end.value) return { start: next, end };
  // The gateway is the last one: what lies before it.
  const start = { ...subnet.first, value: subnet.first.value + 1n };
  return { start, end: { ...gateway, value: gateway.value - 1n } };
}

const given = (name: string, value: string | undefined): string =>
  value === undefined ? '' : ` ${name}="${escapeXml(value)}"`;

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escapeXml = (text: string): string => text.replace(/[&<>"]/g, (sign) => ENTITIES[sign] ?? sign);
