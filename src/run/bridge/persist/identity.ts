/** What will be another address after the next boot, told before it. */
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
  if (uplink === undefined) return [];
  const index = Number(await machine.read(`/sys/class/net/${uplink}/ifindex`));
  const { lease } = await networkdLink(machine, index);
  const at = await machine.read(`/sys/class/net/${bridge}/ifindex`);
  const nm = [await nmLink(machine, index), ...(at === undefined ? [] : [await nmLink(machine, Number(at))])];
  const isNms = nm.some(({ iaid6 }) => iaid6 !== undefined);
  return identityNotes(
    { ...facts, link: uplink },
    bridge,
    isNms || (lease !== undefined && iaidOf(lease) !== undefined),
  );
}
