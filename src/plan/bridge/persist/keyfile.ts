/**
 * A bridge of NetworkManager: a profile that makes it and one that makes the NIC its port, as keyfiles
 * (nm-settings-keyfile(5)). The NIC's own profile stays, and is no longer brought up by itself; one that other NICs
 * have as well is left alone, and ours wins by its priority.
 */
import { createHash } from 'node:crypto';
import {
  type Entry,
  entry,
  readSections,
  renderSections,
  type Section,
  valuesOf,
} from '../../../spec/bridge/sections.ts';
import { shellLine } from '../../shell.ts';
import { nmcliLine } from './nmcli.ts';
import {
  type ConfigFile,
  cannotPersist,
  delayOf,
  headOf,
  type KeptFile,
  MARK,
  type PersistWish,
  refuseUnsaid,
} from './wish.ts';

export interface KeyfileFacts {
  /** All profiles, of /etc, /run and /usr/lib. */
  readonly files: readonly ConfigFile[];
  /** The UUID of the one that NetworkManager has up on the NIC. */
  readonly ruling?: string;
}

const DIR = '/etc/NetworkManager/system-connections';
/** A file that others may read is not taken. */
const MODE = 0o600;

interface Profile extends ConfigFile {
  readonly sections: readonly Section[];
}

/** Throws QL_PERSIST (exit 3). */
export function keyfileFiles(wish: PersistWish, facts: KeyfileFacts): readonly KeptFile[] {
  const { name, uplink, mac } = wish;
  const all = facts.files.map((file): Profile => ({ ...file, sections: readSections(file.content) }));
  const there = all.find(({ sections }) => valuesOf(sections, 'connection', 'interface-name').includes(name));
  if (there !== undefined)
    throw cannotPersist(name, [`${there.path} is about ${name} already`], [`edit ${there.path}`]);
  const old = uplink === undefined ? undefined : profileOf(wish, uplink, all, facts.ruling);
  if (old === undefined) refuseUnsaid(wish);
  else refuseKind(name, old);
  const isShared = old !== undefined && isFor(old.sections, uplink ?? '', mac) !== 'it';
  if (isShared) refuseMultiple(name, uplink ?? '', old);
  const bridge = bridgeSections(wish, old?.sections);
  const files = [
    { id: name, sections: bridge },
    ...(uplink === undefined
      ? []
      : [{ id: `${name}-port-${uplink}`, sections: portSections(wish, uplink, old?.sections) }]),
  ];
  return [
    ...files.map(({ id, sections }) => ({
      path: `${DIR}/${id}.nmconnection`,
      content: `${headOf(name, 'removes this file')}\n# The same by hand:\n#   ${nmcliLine(sections)}\n${renderSections(sections)}`,
      mode: MODE,
    })),
    ...(old?.path.startsWith('/etc/') === true && !isShared
      ? [{ path: old.path, content: notByItself(old.content) }]
      : []),
  ];
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
const ethernetOf = (sections: readonly Section[], key: string): string | undefined =>
  one(sections, 'ethernet', key) ?? one(sections, '802-3-ethernet', key);

/** 'any': a profile that names no link is for whichever has none. */
function isFor(
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

const priorityOf = (sections: readonly Section[]): number =>
  Number(one(sections, 'connection', 'autoconnect-priority') ?? 0);

function profileOf(
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

function refuseKind(name: string, { path, sections }: Profile): void {
  const [id, type] = [one(sections, 'connection', 'id') ?? path, one(sections, 'connection', 'type') ?? ''];
  if (/(^|\/)netplan-/.test(path))
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
function refuseMultiple(name: string, uplink: string, { path, sections }: Profile): void {
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

/** The same bridge has the same one, whoever asks. */
function uuidOf(...words: readonly string[]): string {
  const hex = createHash('sha256')
    .update(['qlaunch profile 1', ...words].join('\0'))
    .digest('hex');
  const variant = ((Number.parseInt(hex[16] ?? '0', 16) & 3) | 8).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `5${hex.slice(13, 16)}`,
    variant + hex.slice(17, 20),
    hex.slice(20, 32),
  ].join('-');
}

const bridgeUuid = ({ name, mac }: PersistWish): string => uuidOf(name, mac ?? '');

/** Of [connection]: what is about the network that it leads to. */
const OF_NETWORK: ReadonlySet<string> = new Set([
  ...['zone', 'metered', 'mdns', 'llmnr', 'dns-over-tls', 'secondaries', 'gateway-ping-timeout'],
]);

const entriesOf = (sections: readonly Section[], name: string): readonly Entry[] =>
  sections.filter((section) => section.name === name).flatMap(({ entries }) => entries);

function priority(old: readonly Section[] = []): Entry {
  return entry('autoconnect-priority', Math.min(999, Math.max(100, priorityOf(old) + 1)));
}

function bridgeSections(wish: PersistWish, old: readonly Section[] | undefined): readonly Section[] {
  const { name, mac, stp, vlanAware, uplink } = wish;
  const mtu = wish.mtu ?? ethernetOf(old ?? [], 'mtu');
  return [
    {
      name: 'connection',
      entries: [
        ...[entry('id', name), entry('uuid', bridgeUuid(wish)), entry('type', 'bridge')],
        ...[entry('interface-name', name), priority(old)],
        // Without it the port waits until somebody brings it up.
        ...(uplink === undefined ? [] : [entry('autoconnect-slaves', 1)]),
        ...entriesOf(old ?? [], 'connection').filter(({ key }) => OF_NETWORK.has(key)),
      ],
    },
    {
      name: 'ethernet',
      entries: [
        ...(mac === undefined ? [] : [entry('cloned-mac-address', mac.toUpperCase())]),
        ...(mtu === undefined ? [] : [entry('mtu', mtu)]),
      ],
    },
    {
      name: 'bridge',
      entries: [
        // Its own default is on, with 15 s; without STP it leaves the delay alone.
        entry('stp', stp === true ? 'true' : 'false'),
        ...(stp === true ? [entry('forward-delay', delayOf(wish))] : []),
        ...(vlanAware === true ? [entry('vlan-filtering', 'true')] : []),
      ],
    },
    ...(old === undefined ? modelSections(wish) : movedSections(old)),
  ];
}

/** A route of a bridge has the metric 425, one of a NIC 100. */
function movedSections(old: readonly Section[]): readonly Section[] {
  const of = (name: 'ipv4' | 'ipv6'): Section => {
    const entries = entriesOf(old, name);
    const routes = entries.some(({ key, value }) => key === 'method' && /^(auto|manual)$/.test(value));
    const says = entries.some(({ key }) => key === 'route-metric');
    return { name, entries: [...entries, ...(routes && !says ? [entry('route-metric', 100)] : [])] };
  };
  return [of('ipv4'), of('ipv6'), { name: 'proxy', entries: entriesOf(old, 'proxy') }];
}

function portSections(wish: PersistWish, uplink: string, old: readonly Section[] = []): readonly Section[] {
  const { name, mtu } = wish;
  const id = `${name}-port-${uplink}`;
  const kept = old.filter((section) =>
    /^(ethernet|802-3-ethernet|802-1x|ethtool|link|tc|sriov)$/.test(section.name),
  );
  return [
    {
      name: 'connection',
      entries: [
        ...[entry('id', id), entry('uuid', uuidOf(id, wish.mac ?? '')), entry('type', 'ethernet')],
        ...[entry('interface-name', uplink), priority(old)],
        ...[entry('master', bridgeUuid(wish)), entry('slave-type', 'bridge')],
      ],
    },
    ...kept.map((section) => ({
      name: section.name.replace('802-3-ethernet', 'ethernet'),
      entries: section.entries.filter(({ key }) => mtu === undefined || key !== 'mtu'),
    })),
    { name: 'ethernet', entries: mtu === undefined ? [] : [entry('mtu', mtu)] },
  ];
}

function modelSections({ addresses, routes = [], dhcp4, ra }: PersistWish): readonly Section[] {
  const of = (name: 'ipv4' | 'ipv6', auto: boolean, none: string): Section => {
    const mine = (text: string): boolean => text.includes(':') === (name === 'ipv6');
    const [own, ways] = [addresses.filter(mine), routes.filter(({ via }) => mine(via))];
    const gateway = ways.find(({ to }) => to === undefined);
    const others = ways.filter((way) => way !== gateway);
    return {
      name,
      entries: [
        entry('method', auto ? 'auto' : own.length > 0 ? 'manual' : none),
        ...own.map((address, index) => entry(`address${index + 1}`, address)),
        ...(gateway === undefined || own.length === 0 ? [] : [entry('gateway', gateway.via)]),
        ...others.map(({ to, via, metric }, index) =>
          entry(
            `route${index + 1}`,
            [
              to ?? (name === 'ipv6' ? '::/0' : '0.0.0.0/0'),
              via,
              ...(metric === undefined ? [] : [metric]),
            ].join(','),
          ),
        ),
        ...(auto || own.length > 0 ? [entry('route-metric', gateway?.metric ?? 100)] : []),
      ],
    };
  };
  return [of('ipv4', dhcp4 === true, 'disabled'), of('ipv6', ra === true, 'link-local')];
}

/** It stays for who wants it back by hand. */
function notByItself(content: string): string {
  const lines = content.split('\n');
  const at = lines.findIndex((line) => line.trim() === '[connection]');
  const next = lines.findIndex((line, index) => index > at && /^\s*\[/.test(line));
  const kept = lines.map((line, index) =>
    index > at && (next < 0 || index < next) && /^\s*autoconnect\s*=/.test(line) ? `${MARK}${line}` : line,
  );
  return [...kept.slice(0, at + 1), 'autoconnect=false', ...kept.slice(at + 1)].join('\n');
}
