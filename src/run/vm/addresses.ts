/** Which addresses a VM's NICs have, as far as this host can tell. */
import { setTimeout as sleep } from 'node:timers/promises';
import { readBoard } from '../../host/map/board.ts';
import { leaseFiles, natPlaces } from '../../host/nat/places.ts';
import type { Host } from '../../host/port.ts';
import type { AddressSource } from '../../plan/map/facts.ts';
import { addresses } from '../../plan/map/wires.ts';
import type { VmStatus } from './status.ts';

export interface VmAddress {
  readonly nic: string;
  readonly mac: string;
  readonly address: string;
  readonly source: AddressSource;
}

/** From DHCP leases (ours, dnsmasq's, libvirt's) and the host's neighbour table. Empty: nothing is known. */
async function knownAddresses(
  vm: VmStatus,
  host: Pick<Host, 'run'>,
  env: NodeJS.ProcessEnv,
): Promise<readonly VmAddress[]> {
  const { neighbours } = await readBoard(host, leaseFiles(natPlaces(env)));
  return vm.record.nics.flatMap(({ id, mac }) =>
    addresses(mac, neighbours).map(({ address, source }) => ({ nic: id, mac, address, source })),
  );
}

const EVERY_MS = 500;

/** As knownAddresses(), asked again until there is one or the time is over. */
export async function vmAddresses(
  vm: VmStatus,
  host: Pick<Host, 'run'>,
  env: NodeJS.ProcessEnv,
  waitMs: number,
): Promise<readonly VmAddress[]> {
  const until = performance.now() + waitMs;
  for (;;) {
    const found = await knownAddresses(vm, host, env);
    // A link-local address comes before the guest has a real one.
    if (found.some(({ address }) => !address.startsWith('fe80:')) || performance.now() > until) return found;
    await sleep(EVERY_MS);
  }
}
