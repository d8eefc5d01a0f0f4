/** ADDRESS/PREFIX of an interface: the host bits count, unlike in a network's CIDR. */
import { type Cidr, formatCidr, lastAddress, parseCidr } from '../cidr.ts';
import { formatIp, readIp } from '../ip.ts';
import { isProblem, type Problem } from '../raw.ts';

declare const brand: unique symbol;
/** "192.0.2.10/24", as `ip address` prints it. */
export type HostAddress = string & { readonly [brand]: 'HostAddress' };

export function parseHostAddress(text: string, at: string): HostAddress | Problem {
  const slash = text.lastIndexOf('/');
  const ip = readIp(slash < 0 ? text : text.slice(0, slash));
  if (ip === undefined || slash < 0)
    return {
      at,
      what: `"${text}" is not an address with its prefix`,
      hint: 'write 192.168.1.10/24 or fd00::10/64',
    };
  const cidr = parseCidr(text, at);
  if (isProblem(cidr)) return { ...cidr, what: `"${text}" has an impossible prefix` };
  const network = networkOnly(cidr, ip.value);
  if (network !== undefined) return { at, what: `${text} is ${network} of ${formatCidr(cidr)}, not a host` };
  return `${formatIp(ip)}/${cidr.prefix}` as HostAddress;
}

/** Networks of one or two addresses (RFC 3021) have neither. */
function networkOnly(cidr: Cidr, value: bigint): string | undefined {
  const bits = cidr.first.family === 4 ? 32 : 128;
  if (cidr.prefix >= bits - 1) return undefined;
  if (value === cidr.first.value) return 'the network itself';
  return cidr.first.family === 4 && value === lastAddress(cidr).value ? 'the broadcast address' : undefined;
}
