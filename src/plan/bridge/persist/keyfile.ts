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
import type { NameServers } from '../name-servers.ts';
import {
  ethernetOf,
  isFor,
  type Profile,
  priorityOf,
  profileOf,
  refuseKind,
  refuseMultiple,
} from './keyfile-profile.ts';
import { modelSection, refuseWeights } from './model/keyfile.ts';
import { nmcliLine } from './nmcli.ts';
import {
  type ConfigFile,
  cannotPersist,
  delayOf,
  headOf,
  insteadLine,
  insteadOf,
  isReplaced,
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
  /** For the NetworkManager that has the NIC now, and until the next boot only. */
  readonly live?: true;
  /** What the NIC's client says to the server, "ff:…"; absent: what it would say of the bridge as well. */
  readonly clientId?: string;
  /** … and to one of DHCPv6, besides the host's DUID; by itself a hash of the link's name. */
  readonly iaid6?: number;
}

export const LIVE_KEYFILES = '/run/NetworkManager/system-connections';
const DIR = '/etc/NetworkManager/system-connections';
/** A file that others may read is not taken. */
const MODE = 0o600;

/** Throws QL_PERSIST (exit 3). */
export function keyfileFiles(wish: PersistWish, facts: KeyfileFacts): readonly KeptFile[] {
  const { name, uplink, mac } = wish;
  const isForNow = facts.live === true;
  const all = facts.files
    .filter(({ path, content }) => !path.startsWith(LIVE_KEYFILES) || insteadOf(content) === undefined)
    .map((file): Profile => ({ ...file, sections: readSections(file.content) }));
  const there = all.find(({ sections }) => valuesOf(sections, 'connection', 'interface-name').includes(name));
  if (there !== undefined)
    throw cannotPersist(name, [`${there.path} is about ${name} already`], [`edit ${there.path}`]);
  const old = uplink === undefined ? undefined : profileOf(wish, uplink, all, facts.ruling);
  refuseUnsaid(wish, old !== undefined);
  refuseWeights(name, old === undefined ? wish : (wish.instead ?? { addresses: [] }));
  if (old !== undefined) refuseKind(name, old, isForNow);
  const isShared = old !== undefined && isFor(old.sections, uplink ?? '', mac) !== 'it';
  if (isShared && !isForNow) refuseMultiple(name, uplink ?? '', old);
  const bridge = bridgeSections(wish, old?.sections, facts);
  const files = [
    { id: name, sections: bridge },
    ...(uplink === undefined
      ? []
      : [{ id: `${name}-port-${uplink}`, sections: portSections(wish, uplink, old?.sections, isForNow) }]),
  ];
  const instead = isForNow ? insteadLine(facts.ruling ?? '') : '';
  return [
    ...files.map(({ id, sections }) => ({
      path: `${isForNow ? LIVE_KEYFILES : DIR}/${id}.nmconnection`,
      content: `${headOf(name, 'removes this file')}\n${instead}# The same by hand:\n#   ${nmcliLine(sections)}\n${renderSections(sections)}`,
      mode: MODE,
    })),
    ...(old?.path.startsWith('/etc/') === true && !isShared && !isForNow
      ? [{ path: old.path, content: notByItself(old.content) }]
      : []),
  ];
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

/** Of the profile of the bridge, and of its port. */
export const uuidsOf = (wish: PersistWish): readonly [bridge: string, port: string] => [
  bridgeUuid(wish),
  uuidOf(`${wish.name}-port-${wish.uplink}`, wish.mac ?? ''),
];

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

function bridgeSections(
  wish: PersistWish,
  old: readonly Section[] | undefined,
  identity: Pick<KeyfileFacts, 'clientId' | 'iaid6'>,
): readonly Section[] {
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
    ...(old === undefined
      ? [modelSection(name, wish, 'inet'), modelSection(name, wish, 'inet6')]
      : movedSections(wish, old, identity)),
  ];
}

/** What is not in a model. */
const BESIDE =
  /^(dns|route-metric$|route-table$|ignore-auto|may-fail$|dhcp-|addr-gen-mode$|ip6-privacy$|routing-rule|never-default$)/;

/** Those of the lease come after its own. */
function withNameServers(entries: readonly Entry[], told: NameServers | undefined): readonly Entry[] {
  const of = (key: string): string | undefined => entries.findLast((one) => one.key === key)?.value;
  if (told === undefined || of('ignore-auto-dns') === 'true') return entries;
  const more = [['dns', told.dns] as const, ['dns-search', told.domains] as const].flatMap(
    ([key, values]): readonly Entry[] => {
      const all = new Set([...(of(key) ?? '').split(/[;,]/), ...values].filter((one) => one !== ''));
      return all.size === 0 ? [] : [entry(key, `${[...all].join(';')};`)];
    },
  );
  return [...entries.filter(({ key }) => !more.some((one) => one.key === key)), ...more];
}

/** The words of `ip rule`: what comes in by the NIC comes in by the bridge. */
const renamed = (rule: string, { name, uplink }: PersistWish): string =>
  rule.replace(/(?<=(?:^|\s)[io]if\s+)\S+/g, (link) => (link === uplink ? name : link));

/** A route of a bridge has the metric 425, one of a NIC 100. */
function movedSections(
  wish: PersistWish,
  old: readonly Section[],
  { clientId, iaid6 }: Pick<KeyfileFacts, 'clientId' | 'iaid6'>,
): readonly Section[] {
  const named = (one: Entry): Entry =>
    one.key.startsWith('routing-rule') ? entry(one.key, renamed(one.value, wish)) : one;
  const of = (name: 'ipv4' | 'ipv6'): Section => {
    const own = entriesOf(old, name).map(named);
    const [key, value] = name === 'ipv6' ? ['dhcp-iaid', iaid6] : ['dhcp-client-id', clientId];
    const entries = value === undefined ? own : [...own.filter((one) => one.key !== key), entry(key, value)];
    const family = name === 'ipv4' ? 'inet' : 'inet6';
    if (wish.instead !== undefined && isReplaced(wish, family)) {
      const model = modelSection(wish.name, wish.instead, family);
      const beside = entries.filter((one) => BESIDE.test(one.key));
      const told = name === 'ipv4' ? wish.instead.nameServers : undefined;
      // A second NIC that was to come last goes on to do so.
      const own = model.entries.filter(
        ({ key }) => key !== 'route-metric' || !beside.some((one) => one.key === key),
      );
      return { name, entries: [...own, ...withNameServers(beside, told)] };
    }
    const routes = entries.some((one) => one.key === 'method' && /^(auto|manual)$/.test(one.value));
    const says = entries.some((one) => one.key === 'route-metric');
    return { name, entries: [...entries, ...(routes && !says ? [entry('route-metric', 100)] : [])] };
  };
  return [of('ipv4'), of('ipv6'), { name: 'proxy', entries: entriesOf(old, 'proxy') }];
}

/**
 * The MAC address is said: "stable" and "random" would make another one of the UUID of this profile (nm-settings(5)),
 * also where NetworkManager.conf says it for all.
 */
function portSections(
  wish: PersistWish,
  uplink: string,
  old: readonly Section[] = [],
  isForNow: boolean = false,
): readonly Section[] {
  const { name, mtu, mac } = wish;
  const isCloned = isForNow || ethernetOf(old, 'cloned-mac-address') !== undefined;
  const cloned = isCloned && mac !== undefined ? [entry('cloned-mac-address', mac.toUpperCase())] : [];
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
      entries: section.entries.filter(
        ({ key }) =>
          (mtu === undefined || key !== 'mtu') && (cloned.length === 0 || key !== 'cloned-mac-address'),
      ),
    })),
    { name: 'ethernet', entries: [...cloned, ...(mtu === undefined ? [] : [entry('mtu', mtu)])] },
  ];
}

/** It is there, and not brought up but by hand. */
export function notByItself(content: string): string {
  const lines = content.split('\n');
  const at = lines.findIndex((line) => line.trim() === '[connection]');
  const next = lines.findIndex((line, index) => index > at && /^\s*\[/.test(line));
  const kept = lines.map((line, index) =>
    index > at && (next < 0 || index < next) && /^\s*autoconnect\s*=/.test(line) ? `${MARK}${line}` : line,
  );
  return [...kept.slice(0, at + 1), 'autoconnect=false', ...kept.slice(at + 1)].join('\n');
}
