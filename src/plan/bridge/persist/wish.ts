/** What every back end is told about the bridge that it shall make at boot. */
import { EXIT, QlaunchError } from '../../../errors.ts';
import type { BridgeSettings } from '../../../spec/bridge/settings.ts';
import { STP_DELAY_S } from '../../bridge.ts';
import type { NameServers } from '../name-servers.ts';
import type { Rule } from '../rule.ts';

/** What is above Ethernet, as far as files can say it. */
export interface Model {
  /** "192.0.2.10/24" */
  readonly addresses: readonly string[];
  readonly routes?: readonly RouteWish[];
  /** The link itself is called "" in them, whatever its name will be. */
  readonly rules?: readonly Rule[];
  /** What it has besides, and no file of ours has words for: "the policy rule 100". */
  readonly unsaid?: readonly string[];
  /** An IPv4 address is asked for. */
  readonly dhcp4?: boolean;
  /** IPv6 addresses and routes are learnt from router advertisements. */
  readonly ra?: boolean;
  /** … and made from its MAC address. */
  readonly byMac?: boolean;
  /** Of a lease that has ended: the files had no need to say them. */
  readonly nameServers?: NameServers;
}

export type Family = 'inet' | 'inet6';

/** As a whole: of a bridge whose uplink has nothing in the files to be taken over. */
export interface PersistWish extends BridgeSettings, Model {
  readonly name: string;
  readonly uplink?: string;
  /** That of the uplink; a bridge that gets another one at boot gets another lease. */
  readonly mac?: string;
  /** Where the uplink has something in the files: what the bridge has in place of it. */
  readonly instead?: Instead;
  /** Frames between its ports pass the host's iptables, where br_netfilter shows them to it. */
  readonly physdev?: boolean;
}

export interface RouteWish {
  /** "203.0.113.0/24"; absent: the default route of the gateway's family. */
  readonly to?: string;
  /** Of several ways the first. */
  readonly via: string;
  readonly metric?: number;
  /** Not main. */
  readonly table?: number;
  /** The gateway is taken to be there, in whatever network. */
  readonly onlink?: true;
  /** The address that this host then speaks from. */
  readonly src?: string;
  /** Of several ways all. */
  readonly hops?: readonly HopWish[];
}

interface HopWish {
  readonly via: string;
  readonly weight?: number;
}

/** Of these families, and of no other. */
export interface Instead extends Model {
  readonly families: readonly Family[];
}

export const familyOf = (address: string): Family => (address.includes(':') ? 'inet6' : 'inet');

/** What the files say of this family is not what the bridge is to have. */
export const isReplaced = ({ instead }: PersistWish, family: Family): boolean =>
  instead?.families.includes(family) === true;

export interface ConfigFile {
  readonly path: string;
  readonly content: string;
}

/** `mode` of one that is new, unless 0o644; one that was there keeps its own. */
export interface KeptFile extends ConfigFile {
  readonly mode?: number;
}

/** Before every line that was taken out of somebody's file. */
export const MARK = '#qlaunch# ';

export const headOf = (name: string, what: string): string =>
  `# qlaunch: the bridge ${name}. \`qlaunch bridge delete ${name}\` ${what}.`;

const INSTEAD = '# In place of ';

/** Of a file that counts until the next boot: what had the NIC before. */
export const insteadLine = (old: string): string => `${INSTEAD}${old}\n`;

export const insteadOf = (content: string): string | undefined =>
  content
    .split('\n')
    .find((line) => line.startsWith(INSTEAD))
    ?.slice(INSTEAD.length);

export const delayOf = ({ stp, delayS }: BridgeSettings): number =>
  delayS ?? (stp === true ? STP_DELAY_S : 0);

/** QL_PERSIST (exit 3). */
export function cannotPersist(
  name: string,
  why: readonly string[],
  todo: readonly string[] = [
    'the same command without --persist, and the bridge in your network configuration',
  ],
): QlaunchError {
  return new QlaunchError('QL_PERSIST', EXIT.refused, {
    what: `can not make ${name} outlive a reboot`,
    why,
    todo,
  });
}

/**
 * What is on a link now is written as a whole, or not at all. Throws QL_PERSIST (exit 3).
 * @param isNamed a file names it: only what takes the place of that counts
 */
export function refuseUnsaid(wish: PersistWish, isNamed: boolean): void {
  const { name, uplink } = wish;
  const { unsaid = [] } = isNamed ? (wish.instead ?? {}) : wish;
  if (unsaid.length === 0) return;
  const why = isNamed
    ? `this of what ${name} is to have`
    : `no file names ${uplink ?? name}, and this of what it has now`;
  throw cannotPersist(
    name,
    [`${why} would be gone after a reboot:`, ...unsaid],
    [
      `sudo qlaunch bridge persist ${name} --persist=none   # once it is made without --persist: prints a script with all of it`,
    ],
  );
}
