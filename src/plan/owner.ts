/**
 * Marks that tell whose an object is, by looking at it alone. A link is made under a random name that is
 * journaled beforehand, gets its alias, and only then its real name: at any moment one of the three proves it.
 */
import { type Lifetime, renderLifetime } from './lifetime.ts';

/** 2 + 12 + 1 bytes: as long as an interface name may be (IFNAMSIZ 16 in linux/if.h, with the NUL). */
export function tempLinkName(token: string, index: number): string {
  return `ql${token12(token)}${index.toString(36).slice(-1)}`;
}

/**
 * A locally administered unicast address in a range of ours (02:71:6c: "ql"). A bridge without an address given
 * at its creation takes the lowest one of its ports and changes it with them (linux/net/bridge/br_stp_if.c).
 */
export function linkMac(token: string, index: number): string {
  const low = (Number.parseInt(token12(token).slice(0, 6), 16) + index) & 0xff_ff_ff;
  const hex = low.toString(16).padStart(6, '0');
  return `02:71:6c:${hex.slice(0, 2)}:${hex.slice(2, 4)}:${hex.slice(4, 6)}`;
}

/**
 * "qlaunch:net/default:1a2b3c4d5e6f": the alias of a link, the comment of an nft table.
 * Kernel limit: 255 bytes (IFALIASZ 256). The token makes it this plan's, not just some qlaunch's.
 */
export function ownerMark(lifetime: Lifetime, token: string): string {
  return `${markPrefix(lifetime)}${token12(token)}`;
}

const markPrefix = (lifetime: Lifetime): string =>
  `qlaunch:${renderLifetime(lifetime).replaceAll(/[ #"'\\]+/g, '/')}:`;

/** Whether an alias is an ownerMark() of that lifetime, of whatever plan. */
export const isMarkOf = (alias: string | undefined, lifetime: Lifetime): boolean =>
  alias?.startsWith(markPrefix(lifetime)) === true;

/** Whether an alias is an ownerMark(), of whatever plan. */
export const isOwnerMark = (alias: string | undefined): boolean => alias?.startsWith('qlaunch:') === true;

function token12(token: string): string {
  if (!/^[0-9a-f]{12}$/.test(token)) throw new TypeError(`not a token: ${token}`);
  return token;
}
