/** The name servers that a network manager has from a server, or from us in its place. */
import { type NameServers, ofNetworkdLease, ofNmDevice, ofOurs } from '../../plan/bridge/name-servers.ts';
import type { Machine } from '../port.ts';
import { rulingFile } from './persist/unit-files.ts';

/** @param lease of systemd-networkd on this link */
export async function nameServersOf(
  machine: Machine,
  link: string,
  ifindex: number,
  lease: string | undefined,
): Promise<NameServers | undefined> {
  const device = await machine.read(`/run/NetworkManager/devices/${ifindex}`);
  const told = ofNetworkdLease(lease ?? '') ?? ofNmDevice(device ?? '');
  if (told !== undefined) return told;
  const ruling = await rulingFile(machine, ifindex);
  const ours = [ruling, `/run/NetworkManager/system-connections/${link}.nmconnection`];
  for (const path of ours.filter((one) => one !== undefined)) {
    const file = await machine.read(path);
    if (file?.startsWith('# qlaunch') === true) return ofOurs(file);
  }
  return undefined;
}
