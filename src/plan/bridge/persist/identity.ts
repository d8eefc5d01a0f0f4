/**
 * IPv6 addresses that a link's own name or a secret of it is in: what makes the bridge at boot makes others. Those from
 * the MAC address, which the bridge has as well, stay (RFC 4291, appendix A; RFC 7217 for the others).
 */
import { readIp } from '../../../spec/ip.ts';
import type { LinkAddress } from '../address.ts';
import type { Layer3 } from '../layer3.ts';

/** Made of what a router said. Temporary ones have neither flag, and change by themselves. */
const isLearnt = ({ family, validS, scope, prefixlen, flags }: LinkAddress): boolean =>
  family === 'inet6' &&
  validS !== undefined &&
  scope === 'global' &&
  prefixlen === 64 &&
  (flags.includes('mngtmpaddr') || flags.includes('noprefixroute'));

const isFromMac = ({ local }: LinkAddress): boolean =>
  (((readIp(local)?.value ?? 0n) >> 24n) & 0xffffn) === 0xfffen;

/** All that it learnt is from its MAC address: who makes the bridge is told to do so. */
export function isByMac({ addresses }: Layer3): boolean {
  const learnt = addresses.filter(isLearnt);
  return learnt.length > 0 && learnt.every(isFromMac);
}

/** For a person. @param keepsIaid what makes the bridge says who it is to DHCPv6 as the NIC did */
export function identityNotes(
  { link, addresses }: Layer3,
  bridge: string,
  keepsIaid: boolean,
): readonly string[] {
  return addresses.flatMap((one) => {
    const { family, local, validS, prefixlen } = one;
    if (isLearnt(one) && !isFromMac(one))
      return [
        `${local} is made of a secret and of the name ${link}: after the next boot ${bridge} has another one, unless it is given as an address of its own`,
      ];
    if (family !== 'inet6' || validS === undefined || prefixlen !== 128 || keepsIaid) return [];
    return [
      `${local} is leased by DHCPv6 to an identity with ${link} in it: after the next boot ${bridge} may get another one`,
    ];
  });
}
