/** What `bridge create` and `bridge set` may be told about a bridge. */
import { parseChoice, parseSwitch, parseWhole } from '../number.ts';
import type { Gathering } from '../raw.ts';

export interface BridgeSettings {
  readonly stp?: boolean;
  /** Seconds. */
  readonly delayS?: number;
  readonly mtu?: number;
  readonly vlanAware?: boolean;
  readonly bridgeNf?: BridgeNf;
  readonly ipForward?: IpForward;
}

/** What the firewall for routed packets has to do with what crosses a bridge: br_netfilter. */
const BRIDGE_NF = ['off', 'accept', 'leave'] as const;
export type BridgeNf = (typeof BRIDGE_NF)[number];

/** Whether this host routes IPv4 (net.ipv4.ip_forward), which no bridge needs. */
const IP_FORWARD = ['on', 'off', 'leave'] as const;
export type IpForward = (typeof IP_FORWARD)[number];

export interface SettingsText {
  readonly stp?: string;
  readonly delay?: string;
  readonly mtu?: string;
  /** true: the bare word. */
  readonly vlanAware?: string | true;
  readonly bridgeNf?: string;
  readonly ipForward?: string;
}

/** IEEE 802.1D allows 4 to 30 s; the kernel takes 2 to 30 with STP, and anything up to 30 without (br_private_stp.h). */
const MAX_DELAY_S = 30;
const MIN_STP_DELAY_S = 2;

export function readSettings(text: SettingsText, gathering: Gathering): BridgeSettings {
  const stp = text.stp === undefined ? undefined : gathering.take(parseSwitch(text.stp, '--stp'));
  const delayS =
    text.delay === undefined ? undefined : gathering.take(parseWhole(text.delay, '--delay', 0, MAX_DELAY_S));
  // ETH_MIN_MTU and ETH_MAX_MTU in linux/if_ether.h.
  const mtu = text.mtu === undefined ? undefined : gathering.take(parseWhole(text.mtu, '--mtu', 68, 65_535));
  const vlanAware =
    text.vlanAware === undefined || text.vlanAware === true
      ? text.vlanAware
      : gathering.take(parseSwitch(text.vlanAware, '--vlan-aware'));
  const bridgeNf =
    text.bridgeNf === undefined
      ? undefined
      : gathering.take(parseChoice(text.bridgeNf, '--bridge-nf', BRIDGE_NF));
  const ipForward =
    text.ipForward === undefined
      ? undefined
      : gathering.take(parseChoice(text.ipForward, '--ip-forward', IP_FORWARD));
  if (stp === true && delayS !== undefined && delayS < MIN_STP_DELAY_S)
    gathering.refuse('--delay', `with STP the kernel takes ${MIN_STP_DELAY_S} to ${MAX_DELAY_S} seconds`);
  return {
    ...(stp === undefined ? {} : { stp }),
    ...(delayS === undefined ? {} : { delayS }),
    ...(mtu === undefined ? {} : { mtu }),
    ...(vlanAware === undefined ? {} : { vlanAware }),
    ...(bridgeNf === undefined ? {} : { bridgeNf }),
    ...(ipForward === undefined ? {} : { ipForward }),
  };
}
