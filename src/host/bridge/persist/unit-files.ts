/** Files of systemd-networkd that count: systemd.network(5), "files with the same name in a higher directory". */
import {
  type NetworkdNow,
  type Pending,
  pendingFiles,
} from '../../../plan/bridge/persist/networkd-pending.ts';
import { insteadOf } from '../../../plan/bridge/persist/wish.ts';
import type { Machine } from '../../port.ts';
import { ifindexOf } from '../ifindex.ts';

interface ConfigText {
  readonly path: string;
  readonly content: string;
}

const DIRS = ['/etc', '/run', '/usr/local/lib', '/usr/lib'].map((dir) => `${dir}/systemd/network`);

/** .netdev and .network files in the order of their names; what their drop-ins say is behind their content. */
export async function networkdFilesNow(machine: Machine): Promise<readonly ConfigText[]> {
  const all: string[] = [];
  for (const dir of DIRS) all.push(...((await machine.list(dir)) ?? []).map((name) => `${dir}/${name}`));
  const first = new Map<string, string>();
  for (const path of all.filter((one) => /\.(network|netdev)$/.test(one)))
    if (!first.has(baseOf(path))) first.set(baseOf(path), path);
  const found: ConfigText[] = [];
  for (const [name, path] of [...first].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const texts = [(await machine.read(path)) ?? ''];
    for (const dir of DIRS.toReversed())
      for (const dropIn of (await machine.list(`${dir}/${name}.d`)) ?? [])
        if (dropIn.endsWith('.conf')) texts.push((await machine.read(`${dir}/${name}.d/${dropIn}`)) ?? '');
    found.push({ path, content: `${texts.join('\n')}\n` });
  }
  return found;
}

const baseOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

const STATES = '/run/systemd/netif/links';

/** What a running networkd says of a link: sd-network's files of links and leases, by interface index. */
export interface NetworkdLink {
  readonly has: boolean;
  /** It is at it: what the NIC will have is not there yet. */
  readonly configuring: boolean;
  /** Of a NIC whose bridge was handed over: the one that ours is in the place of, and the bridge's lease. */
  readonly file?: string;
  readonly lease?: string;
}

/** undefined: networkd has none for this link. */
export const leaseOf = (machine: Machine, ifindex: number): Promise<string | undefined> =>
  machine.read(`/run/systemd/netif/leases/${ifindex}`);

/** "192.0.2.10" */
export const leasedAddress = (lease: string | undefined): string | undefined =>
  /^ADDRESS=(\S+)$/m.exec(lease ?? '')?.[1];

const fileIn = (state: string | undefined): string | undefined =>
  /^NETWORK_FILE=(.+)$/m.exec(state ?? '')?.[1];

/** The .network file that networkd has read for a link; undefined: none. */
export const rulingFile = async (machine: Machine, ifindex: number): Promise<string | undefined> =>
  fileIn(await machine.read(`${STATES}/${ifindex}`));

export async function networkdLink(machine: Machine, ifindex: number): Promise<NetworkdLink> {
  const link = await machine.read(`${STATES}/${ifindex}`);
  const used = fileIn(link);
  const text = used === undefined ? undefined : await machine.read(used);
  const instead = insteadOf(text ?? '');
  const file = instead ?? used;
  const bridge = instead === undefined ? undefined : /^Bridge=(.+)$/m.exec(text ?? '')?.[1];
  const index = bridge === undefined ? undefined : await ifindexOf(machine, bridge);
  const lease = await leaseOf(machine, index ?? ifindex);
  return {
    has: /^ADMIN_STATE=(configured|configuring)$/m.test(link ?? ''),
    configuring: /^ADMIN_STATE=configuring$/m.test(link ?? ''),
    ...(file === undefined ? {} : { file }),
    ...(lease === undefined ? {} : { lease }),
  };
}

/**
 * Files of links that were changed since networkd last said anything of the link, or that it has not read: a reload would
 * bring that about as well. After one it has said something: a link whose file is another is configured anew. Not
 * netplan's, which writes all of them anew whenever it is asked for one.
 */
export async function changedSince(machine: Machine): Promise<readonly Pending[]> {
  const found: Pending[] = [];
  const links: NetworkdNow[] = [];
  for (const link of (await machine.list('/sys/class/net')) ?? []) {
    const state = `${STATES}/${await ifindexOf(machine, link)}`;
    const said = await machine.read(state);
    const file = fileIn(said);
    // Before it has looked at a link it says "pending" or "initialized".
    if (/^ADMIN_STATE=(configur|unmanaged|failed)/m.test(said ?? ''))
      links.push(...(await linkNow(machine, link, file)));
    if (file === undefined || baseOf(file).startsWith('10-netplan-')) continue;
    const dropIns: string[] = [];
    for (const dir of DIRS.map((one) => `${one}/${baseOf(file)}.d`))
      for (const name of (await machine.list(dir)) ?? [])
        if (name.endsWith('.conf')) dropIns.push(`${dir}/${name}`);
    const times = await mtimes(machine, [state, file, ...dropIns]);
    const then = times.get(state) ?? Number.POSITIVE_INFINITY;
    // One that is gone is a change, too.
    const newer = [file, ...dropIns].filter((path) => (times.get(path) ?? Number.POSITIVE_INFINITY) > then);
    found.push(...newer.map((path) => ({ path, link })));
  }
  const all = [...found, ...pendingFiles(await networkdFilesNow(machine), links)];
  return [...new Map(all.toReversed().map((one) => [one.path, one])).values()].toReversed();
}

/** Of Ethernet, and of no type of its own but a bridge's: what else [Match] may mean by Type= only networkd knows. */
async function linkNow(
  machine: Machine,
  link: string,
  file: string | undefined,
): Promise<readonly NetworkdNow[]> {
  const at = `/sys/class/net/${link}`;
  const isBridge = (await machine.stat(`${at}/bridge`)) !== undefined;
  const isOther = /^DEVTYPE=/m.test((await machine.read(`${at}/uevent`)) ?? '') && !isBridge;
  if (isOther || (await machine.read(`${at}/type`)) !== '1') return [];
  const mac = await machine.read(`${at}/address`);
  const known = { ...(mac === undefined ? {} : { mac }), ...(file === undefined ? {} : { file }) };
  return [{ link, isBridge, ...known }];
}

/** Seconds; without those that are not there. */
async function mtimes(machine: Machine, paths: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const { stdout } = await machine.run(['stat', '--dereference', '--format=%.9Y %n', ...paths]);
  const lines = [...stdout.matchAll(/^([0-9.]+) (.*)$/gm)];
  return new Map(lines.map(([, seconds, path = '']) => [path, Number(seconds)]));
}

/** It runs, or is started at boot: `systemctl enable` makes these links. */
export async function hasNetworkd(machine: Machine): Promise<boolean> {
  const units = '/etc/systemd/system';
  const places = [
    STATES,
    `${units}/dbus-org.freedesktop.network1.service`,
    `${units}/multi-user.target.wants/systemd-networkd.service`,
  ];
  for (const place of places) if ((await machine.stat(place)) !== undefined) return true;
  return false;
}
