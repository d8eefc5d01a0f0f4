/** Names of a network as lines of dnsmasq's configuration (dnsmasq(8)). */
import type { Cidr } from '../../spec/cidr.ts';
import { formatIp } from '../../spec/ip.ts';
import type { Forwarder, Names, SrvRecord } from '../../spec/nat/network.ts';

export const serverLine = ({ domain, address }: Forwarder): string =>
  `server=${domain === undefined ? '' : `/${domain}/`}${address === undefined ? '#' : formatIp(address)}`;

/** In quotes a comma is part of the text (read_file() in dnsmasq's option.c). */
const quoted = (text: string): string => `"${text.replaceAll(/["\\]/g, '\\$&')}"`;

export function recordLines(
  { hosts, texts, services }: Names,
  domain: string | undefined,
): readonly string[] {
  // As expand-hosts does it for names that guests say.
  const both = (name: string): readonly string[] =>
    domain === undefined || name.includes('.') ? [name] : [`${name}.${domain}`, name];
  return [
    ...hosts.map(
      ({ address, names }) => `host-record=${[...names.flatMap(both), formatIp(address)].join(',')}`,
    ),
    ...texts.map(({ name, value }) => `txt-record=${name},${quoted(value)}`),
    ...services.map(serviceLine),
  ];
}

function serviceLine({ service, protocol, domain, target, port, priority, weight }: SrvRecord): string {
  const name = `_${service}._${protocol}${domain === undefined ? '' : `.${domain}`}`;
  return `srv-host=${[name, ...(target === undefined ? [] : [target, port, priority, weight])].join(',')}`;
}

/** "9.10.in-addr.arpa" of 10.9.0.0/16. Whole bytes, or nibbles of IPv6. */
export function zoneOf({ first: { family, value }, prefix }: Cidr): string {
  const [bits, root, base, step] = family === 4 ? [32, 'in-addr.arpa', 10, 8] : [128, 'ip6.arpa', 16, 4];
  const parts = Array.from({ length: prefix / step }, (_, i) =>
    ((value >> BigInt(bits - step * (i + 1))) & ((1n << BigInt(step)) - 1n)).toString(base),
  );
  return [...parts.reverse(), root].join('.');
}
