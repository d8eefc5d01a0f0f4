/** Which network manager has a NIC now, and whether it can be handed over. */
import { nmLink } from '../../../host/bridge/persist/keyfiles.ts';
import { networkdLink } from '../../../host/bridge/persist/unit-files.ts';
import type { Machine } from '../../../host/port.ts';
import type { Handover } from '../../../plan/bridge/handover/steps.ts';
import type { Readdress } from '../../../plan/bridge/readdress.ts';
import type { UplinkFacts } from '../../../plan/bridge/uplink.ts';
import type { LinkFact } from '../../../plan/facts.ts';
import { shellWord } from '../../../plan/shell.ts';
import type { BridgeSettings } from '../../../spec/bridge/settings.ts';
import { handNetworkd } from './networkd.ts';
import { handNetworkManager } from './networkmanager.ts';

export interface Objection {
  readonly why: string;
  readonly todo: string;
}

export interface Held {
  readonly handover?: Handover;
  /** Why it stays where it is. */
  readonly objections: readonly Objection[];
}

export interface HeldWish extends BridgeSettings {
  readonly name: string;
  readonly uplink: string;
  readonly readdress?: Readdress;
  readonly force: boolean;
}

/** By what each keeps in /run for the links it has: /run/NetworkManager/devices(5), sd-network's link files. */
export async function heldBy(
  machine: Machine,
  wish: HeldWish,
  nic: LinkFact,
  facts: UplinkFacts,
): Promise<Held> {
  const { ifname, ifindex } = nic;
  const nm = await nmLink(machine, ifindex);
  const networkd = await networkdLink(machine, ifindex);
  if (nm.has && networkd.has)
    return {
      objections: [
        {
          why: `NetworkManager and systemd-networkd (${networkd.file}) have ${ifname} at once`,
          todo: `sudo nmcli device set ${shellWord(ifname)} managed no   # or take it out of that file`,
        },
      ],
    };
  if (nm.has) return handNetworkManager(machine, wish, nic, facts, nm);
  if (networkd.has) return handNetworkd(machine, wish, nic, facts, networkd);
  return { objections: [] };
}
