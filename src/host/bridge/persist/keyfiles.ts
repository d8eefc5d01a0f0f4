/** Profiles of NetworkManager, and what it says of a link. */
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

/** /run/NetworkManager/devices/IFINDEX outlives a crash of it. `uuid`: of the profile that is up. */
export async function nmLink(
  machine: Machine,
  ifindex: number,
): Promise<{ readonly has: boolean; readonly uuid?: string }> {
  const text = (await machine.read(`/run/NetworkManager/devices/${ifindex}`)) ?? '';
  const uuid = /^connection-uuid=(.+)$/m.exec(text)?.[1];
  return { has: /^managed=true$/m.test(text), ...(uuid === undefined ? {} : { uuid }) };
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
