/** Profiles of NetworkManager, and what it says of a link. */
import { insteadOf } from '../../../plan/bridge/persist/wish.ts';
import type { Machine } from '../../port.ts';

interface ConfigText {
  readonly path: string;
  readonly content: string;
}

const DIRS = [
  '/etc/NetworkManager/system-connections',
  '/run/NetworkManager/system-connections',
  '/usr/lib/NetworkManager/system-connections',
];

export async function keyfilesNow(machine: Machine): Promise<readonly ConfigText[]> {
  const found: ConfigText[] = [];
  for (const dir of DIRS)
    for (const name of (await machine.list(dir)) ?? []) {
      if (!name.endsWith('.nmconnection')) continue;
      const captured = await machine.capture(`${dir}/${name}`);
      if (captured !== undefined && 'content' in captured && captured.base64 !== true)
        found.push({ path: `${dir}/${name}`, content: captured.content });
    }
  return found;
}

export interface NmLink {
  readonly has: boolean;
  /** Of the profile that is up; of a NIC whose bridge was handed over: the one that ours is in the place of. */
  readonly uuid?: string;
  /** What its DHCP client says to the server, where that is not its MAC address (RFC 2132, 9.14). */
  readonly clientId?: string;
  /** Of its DHCPv6 lease: who it is there besides the host's DUID, by itself a hash of the link's name. */
  readonly iaid6?: number;
}

/** /run/NetworkManager/devices/IFINDEX outlives a crash of it. */
export async function nmLink(machine: Machine, ifindex: number): Promise<NmLink> {
  const text = (await machine.read(`/run/NetworkManager/devices/${ifindex}`)) ?? '';
  const up = /^connection-uuid=(.+)$/m.exec(text)?.[1];
  const client = /^dhcp4\.dhcp_client_identifier=(.+)$/m.exec(text)?.[1];
  const [, hex] = /^dhcp6\.iaid=((?:[0-9a-f]{2}:){3}[0-9a-f]{2})$/im.exec(text) ?? [];
  if (up === undefined) return { has: /^managed=true$/m.test(text) };
  const used = (await keyfilesNow(machine)).find(({ content }) => content.includes(`uuid=${up}`));
  return {
    has: /^managed=true$/m.test(text),
    uuid: insteadOf(used?.content ?? '') ?? up,
    ...(client === undefined || client.startsWith('01:') ? {} : { clientId: client }),
    ...(hex === undefined ? {} : { iaid6: Number.parseInt(hex.replaceAll(':', ''), 16) }),
  };
}

/** It runs, or is started at boot. */
export async function hasNetworkManager(machine: Machine): Promise<boolean> {
  const units = '/etc/systemd/system';
  const places = [
    '/run/NetworkManager/devices',
    `${units}/dbus-org.freedesktop.nm-dispatcher.service`,
    `${units}/multi-user.target.wants/NetworkManager.service`,
  ];
  for (const place of places) if ((await machine.stat(place)) !== undefined) return true;
  return false;
}
