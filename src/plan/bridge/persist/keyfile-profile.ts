/** Which of NetworkManager's profiles has a NIC: nm-settings-keyfile(5). */
import { readSections, type Section, valuesOf } from '../../../spec/bridge/sections.ts';
import { shellLine } from '../../shell.ts';
import { type ConfigFile, cannotPersist, type PersistWish } from './wish.ts';

export interface Profile extends ConfigFile {
  readonly sections: readonly Section[];
}

/** What has the NIC, by its file's path. */
export function keyfileRuler(
  files: readonly ConfigFile[],
  link: string,
  mac: string | undefined,
): string | undefined {
  return files.find((file) => isFor(readSections(file.content), link, mac) === 'it')?.path;
}

const one = (sections: readonly Section[], name: string, key: string): string | undefined =>
  valuesOf(sections, name, key).at(-1);
export const ethernetOf = (sections: readonly Section[], key: string): string | undefined =>
  one(sections, 'ethernet', key) ?? one(sections, '802-3-ethernet', key);

/** 'any': a profile that names no link is for whichever has none. */
export function isFor(
  sections: readonly Section[],
  link: string,
  mac: string | undefined,
): 'it' | 'any' | undefined {
  const [name, address] = [
    one(sections, 'connection', 'interface-name'),
    ethernetOf(sections, 'mac-address'),
  ];
  if (name !== undefined && name !== link) return undefined;
  if (address !== undefined && address.toLowerCase() !== mac?.toLowerCase()) return undefined;
  if (name !== undefined || address !== undefined) return 'it';
  return /^(ethernet|802-3-ethernet)$/.test(one(sections, 'connection', 'type') ?? '') ? 'any' : undefined;
}

export const priorityOf = (sections: readonly Section[]): number =>
  Number(one(sections, 'connection', 'autoconnect-priority') ?? 0);

export function profileOf(
  { name, mac }: PersistWish,
  uplink: string,
  all: readonly Profile[],
  ruling: string | undefined,
): Profile | undefined {
  const live = all.find(
    ({ sections }) => ruling !== undefined && one(sections, 'connection', 'uuid') === ruling,
  );
  if (live !== undefined) return live;
  const up = all.filter(({ sections }) => one(sections, 'connection', 'autoconnect') !== 'false');
  const own = up.filter(({ sections }) => isFor(sections, uplink, mac) === 'it');
  const found = own.length > 0 ? own : up.filter(({ sections }) => isFor(sections, uplink, mac) === 'any');
  const best = Math.max(...found.map(({ sections }) => priorityOf(sections)));
  const [first, ...more] = found.filter(({ sections }) => priorityOf(sections) === best);
  if (more.length === 0) return first;
  throw cannotPersist(
    name,
    [`${[first, ...more].map((profile) => profile?.path).join(' and ')} are both for ${uplink}`],
    more.map(
      ({ sections }) =>
        `sudo nmcli connection modify ${one(sections, 'connection', 'uuid')} connection.autoconnect no`,
    ),
  );
}

export function refuseKind(name: string, { path, sections }: Profile, isForNow: boolean): void {
  const [id, type] = [one(sections, 'connection', 'id') ?? path, one(sections, 'connection', 'type') ?? ''];
  if (!isForNow && /(^|\/)netplan-/.test(path))
    throw cannotPersist(name, [`${path} is made by netplan`], ['the same command with --persist=netplan']);
  const master = one(sections, 'connection', 'master') ?? one(sections, 'connection', 'controller');
  if (master !== undefined)
    throw cannotPersist(
      name,
      [`${path} makes it a port of ${master}`],
      [`sudo nmcli connection delete ${id}`],
    );
  if (!/^(ethernet|802-3-ethernet)$/.test(type))
    throw cannotPersist(
      name,
      [`${path} is a profile of a ${type}, which stays and becomes the port itself`],
      [`sudo nmcli connection modify ${id} connection.master ${name} connection.slave-type bridge`],
    );
}

/** "multi-connect" of nm-settings-keyfile(5): 2 and 3 are up on several NICs at once; which, no file says. */
export function refuseMultiple(name: string, uplink: string, { path, sections }: Profile): void {
  const multi = one(sections, 'connection', 'multi-connect');
  if (multi === undefined || /^(0|1|default|single)$/.test(multi)) return;
  const which = one(sections, 'connection', 'uuid') ?? one(sections, 'connection', 'id') ?? path;
  const own = `${uplink}-own`;
  throw cannotPersist(
    name,
    [`${path} is for several NICs at once (multi-connect=${multi}), and not for ${uplink} alone`],
    [
      shellLine(['sudo', 'nmcli', 'connection', 'clone', which, own]),
      `${shellLine(['sudo', 'nmcli', 'connection', 'modify', own, 'connection.interface-name', uplink])} connection.multi-connect single`,
      shellLine(['sudo', 'nmcli', 'connection', 'up', own]),
    ],
  );
}
