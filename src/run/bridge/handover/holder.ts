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
  const objections: Objection[] = [];
  if (nm.has)
    objections.push({
      why: `NetworkManager has ${ifname}, and would not let it go`,
      todo: `sudo nmcli device set ${ifname} managed no   # keeps its addresses; a lease is not renewed any more`,
    });
  if (!networkd.has) return { objections };
  const file = networkd.file ?? 'by a .network file';
  if (wish.readdress !== undefined)
    objections.push({
      why: `systemd-networkd has ${ifname} (${file}), and would not know of the other addresses`,
      todo: `sudoedit ${shellWord(file)}   # then sudo networkctl reload, and the same command with --keep`,
    });
  if (objections.length > 0) return { objections };
  return handNetworkd(machine, wish, nic, facts);
}
