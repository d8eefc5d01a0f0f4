/** What will be another address after the next boot, told before it. */
import { ifindexOf } from '../../../host/bridge/ifindex.ts';
import { nmLink } from '../../../host/bridge/persist/keyfiles.ts';
import { networkdLink } from '../../../host/bridge/persist/unit-files.ts';
import type { Machine } from '../../../host/port.ts';
import type { Layer3 } from '../../../plan/bridge/layer3.ts';
import { identityNotes } from '../../../plan/bridge/persist/identity.ts';
import { iaidOf } from '../../../plan/bridge/persist/networkd.ts';

/** @param uplink whose lease networkd has, where it has one: its number goes into the files of the bridge */
export async function identityToBe(
  machine: Machine,
  facts: Layer3,
  bridge: string,
  uplink: string | undefined,
): Promise<readonly string[]> {
  const index = uplink === undefined ? undefined : await ifindexOf(machine, uplink);
  if (uplink === undefined || index === undefined) return [];
  const { lease } = await networkdLink(machine, index);
  const at = await ifindexOf(machine, bridge);
  const nm = [await nmLink(machine, index), ...(at === undefined ? [] : [await nmLink(machine, at)])];
  const isNms = nm.some(({ iaid6 }) => iaid6 !== undefined);
  return identityNotes(
    { ...facts, link: uplink },
    bridge,
    isNms || (lease !== undefined && iaidOf(lease) !== undefined),
  );
}
