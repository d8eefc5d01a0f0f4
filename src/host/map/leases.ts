/** Leases that DHCP servers on this host gave out. A guest that has not spoken lately is in no neighbour table. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Neighbour } from '../../plan/map/facts.ts';
import { isObject, textOf } from '../ip-json.ts';
import { readText } from '../vm/store.ts';

/** dnsmasq's file on Debian and on Fedora. */
const DNSMASQ = ['/var/lib/misc/dnsmasq.leases', '/var/lib/dnsmasq/dnsmasq.leases'];
/** One BRIDGE.status per network, JSON, readable for everybody. */
const LIBVIRT = '/var/lib/libvirt/dnsmasq';

/** @param more of our own networks */
export function readLeases(
  more: readonly string[],
  files: readonly string[] = DNSMASQ,
  libvirt: string = LIBVIRT,
): readonly Neighbour[] {
  return [
    ...[...more, ...files].flatMap((file) => dnsmasqLeases(readText(file) ?? '')),
    ...statusFiles(libvirt).flatMap((file) => libvirtLeases(readText(file) ?? '')),
  ];
}

/** One per line: expiry in Unix seconds (0: never), MAC, address, name, client id. DHCPv6 has no MAC there. */
export function dnsmasqLeases(text: string, nowMs: number = Date.now()): readonly Neighbour[] {
  return text.split('\n').flatMap((line) => {
    const [expiry, mac, address] = line.split(' ');
    const isMac = mac !== undefined && /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(mac);
    const isOver = expiry !== '0' && Number(expiry) * 1000 < nowMs;
    return isMac && !isOver && address !== undefined
      ? [{ mac: mac.toLowerCase(), address, source: 'lease' }]
      : [];
  });
}

function libvirtLeases(text: string): readonly Neighbour[] {
  let rows: unknown;
  try {
    rows = JSON.parse(text || '[]');
  } catch {
    return [];
  }
  return (Array.isArray(rows) ? rows : []).filter(isObject).flatMap((row) => {
    const [mac, address] = [textOf(row['mac-address']), textOf(row['ip-address'])];
    return mac === undefined || address === undefined
      ? []
      : [{ mac: mac.toLowerCase(), address, source: 'lease' }];
  });
}

function statusFiles(dir: string): readonly string[] {
  try {
    return readdirSync(dir)
      .filter((name) => name.endsWith('.status'))
      .map((name) => join(dir, name));
  } catch {
    return [];
  }
}
