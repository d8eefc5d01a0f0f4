/** What every back end is told about the bridge that it shall make at boot. */
import { EXIT, QlaunchError } from '../../../errors.ts';
import type { BridgeSettings } from '../../../spec/bridge/settings.ts';
import { STP_DELAY_S } from '../../bridge.ts';

export interface PersistWish extends BridgeSettings {
  readonly name: string;
  readonly uplink?: string;
  /** That of the uplink; a bridge that gets another one at boot gets another lease. */
  readonly mac?: string;
  /** Of a bridge whose uplink has nothing in the files to be taken over; "192.0.2.10/24". */
  readonly addresses: readonly string[];
  readonly routes?: readonly RouteWish[];
  /** What it has besides, and no file of ours has words for: "the policy rule 100". */
  readonly unsaid?: readonly string[];
  /** An IPv4 address is asked for. */
  readonly dhcp4?: boolean;
  /** IPv6 addresses and routes are learnt from router advertisements. */
  readonly ra?: boolean;
  /** Frames between its ports pass the host's iptables, where br_netfilter shows them to it. */
  readonly physdev?: boolean;
}

export interface RouteWish {
  /** "203.0.113.0/24"; absent: the default route of the gateway's family. */
  readonly to?: string;
  readonly via: string;
  readonly metric?: number;
}

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

/** For a link that no file names: what is on it now is written as a whole, or not at all. Throws QL_PERSIST (exit 3). */
export function refuseUnsaid({ name, uplink, unsaid = [] }: PersistWish): void {
  if (unsaid.length === 0) return;
  throw cannotPersist(
    name,
    [`no file names ${uplink ?? name}, and this of what it has now would be gone after a reboot:`, ...unsaid],
    [
      `sudo qlaunch bridge persist ${name} --persist=none   # once it is made without --persist: prints a script with all of it`,
    ],
  );
}
