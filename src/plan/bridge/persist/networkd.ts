/**
 * A bridge of systemd-networkd: a .netdev that makes it, a .network for it and one for its port, all three ours
 * (systemd.netdev(5), systemd.network(5)). Of all .network files the first that matches a link is the only one that
 * counts, in the order of their names: ours come before the one that has the NIC now, which stays as it is.
 */
import {
  type Entry,
  entry,
  readSections,
  renderSections,
  type Section,
  valuesOf,
} from '../../../spec/bridge/sections.ts';
import { asksOf, insteadSections, wholeSections, withoutReplaced } from './model/networkd.ts';
import { matches } from './networkd-match.ts';
import {
  type ConfigFile,
  cannotPersist,
  delayOf,
  headOf,
  insteadLine,
  isReplaced,
  type KeptFile,
  type PersistWish,
  refuseUnsaid,
} from './wish.ts';

export interface NetworkdFacts {
  /** All .netdev and .network files that count, in the order of their names, drop-ins behind their file's content. */
  readonly files: readonly ConfigFile[];
  /** What networkd itself says it uses for the NIC; absent: it does not run, or does not have it. */
  readonly ruling?: string;
  /** Of the NIC's lease (iaidOf): with it the bridge is the same client to the server. */
  readonly iaid?: number;
  /** For the networkd that has the NIC now, and until the next boot only. */
  readonly live?: true;
}

const DIR = '/etc/systemd/network';
export const LIVE_DIR = '/run/systemd/network';

/** Ours, of a bridge that networkd took over; in the place of which file it says itself (insteadOf). */
const isLive = (path: string, bridge: string): boolean =>
  path.startsWith(`${LIVE_DIR}/`) && path.replace(/^.*\/(\d+-)+/, '').startsWith(`qlaunch-${bridge}`);

/** Throws QL_PERSIST (exit 3). */
export function networkdFiles(wish: PersistWish, facts: NetworkdFacts): readonly KeptFile[] {
  const { name, uplink, mac } = wish;
  const read = facts.files
    .filter(({ path }) => !isLive(path, name))
    .map((file) => ({ ...file, sections: readSections(file.content) }));
  const there = read.find(({ path, sections }) =>
    path.endsWith('.netdev')
      ? valuesOf(sections, 'NetDev', 'Name').includes(name)
      : valuesOf(sections, 'Match', 'Name').includes(name),
  );
  if (there !== undefined)
    throw cannotPersist(name, [`${there.path} is about ${name} already`], [`edit ${there.path}`]);
  const networks = read.filter(({ path }) => path.endsWith('.network'));
  // Debian's networkd 252 also looks below /lib, which is the same.
  const ruling = facts.ruling?.replace(/^\/lib\//, '/usr/lib/');
  const old =
    uplink === undefined
      ? undefined
      : (networks.find(({ path }) => path === ruling) ??
        networks.find((file) => matches(file, name, uplink, mac)));
  // What it has in its memory can not be copied, and what matches by now need not be the same.
  if (facts.live === true && ruling !== undefined && old?.path !== ruling)
    throw cannotPersist(
      name,
      [`${ruling}, which systemd-networkd has read, is gone by now`],
      ['sudo networkctl reload   # lets it read what is there: see what that does to the NIC'],
    );
  refuseUnsaid(wish, old !== undefined);
  const catching = networks.find((file) => matches(file, name, name, mac, 'bridge'));
  const isForNow = facts.live === true;
  const prefix = prefixBefore(name, [old, catching]);
  // Before those of the next boot: else a reload would take that of the bridge, which keeps nothing.
  const at = isForNow ? `${LIVE_DIR}/${prefix}0-qlaunch-${name}` : `${DIR}/${prefix}qlaunch-${name}`;
  const instead = isForNow && old !== undefined ? insteadLine(old.path) : '';
  const head = `${headOf(name, 'removes this file')}\n${instead}`;
  const port = uplink === undefined ? [] : portSections(wish, uplink, old?.sections ?? []);
  const oldMtu = Number(valuesOf(old?.sections ?? [], 'Link', 'MTUBytes').at(-1));
  const mtu = wish.mtu ?? (oldMtu > 0 ? oldMtu : undefined);
  const own = old === undefined ? wholeSections(wish) : movedSections(wish, old.sections, facts.iaid);
  if (old !== undefined && !isForNow && /-netplan-/.test(old.path))
    throw cannotPersist(
      name,
      [`${old.path} is made by netplan`],
      ['the same command with --persist=netplan'],
    );
  if (old !== undefined && valuesOf(old.sections, 'Network', 'Bridge').length > 0)
    throw cannotPersist(name, [`${old.path} makes ${uplink} a port of another bridge`], [`edit ${old.path}`]);
  return [
    { path: `${at}.netdev`, content: head + renderSections(netdevSections(wish, mtu)) },
    { path: `${at}.network`, content: head + renderSections(isForNow ? [...own, ...KEEPING] : own) },
    ...(port.length === 0 ? [] : [{ path: `${at}-port.network`, content: head + renderSections(port) }]),
  ];
}

/** What has the NIC now, if anything: the file's path. */
export function networkdRuler(
  files: readonly ConfigFile[],
  link: string,
  mac: string | undefined,
): string | undefined {
  const read = files.filter(({ path }) => path.endsWith('.network'));
  return read
    .map((file) => ({ ...file, sections: readSections(file.content) }))
    .find((file) => matches(file, link, link, mac))?.path;
}

/** A lease's CLIENTID= is ff, four bytes of IAID, and the host's DUID (RFC 4361); a MAC (01…) stays by itself. */
export function iaidOf(lease: string): number | undefined {
  const [, digits] = /^CLIENTID=ff([0-9a-f]{8})/im.exec(lease) ?? [];
  return digits === undefined ? undefined : Number.parseInt(digits, 16);
}

/** What was moved there stays, whoever set it; and the server is never told that we are gone (systemd.network(5)). */
const KEEPING: readonly Section[] = [
  { name: 'Network', entries: [entry('KeepConfiguration', 'yes')] },
  { name: 'DHCPv4', entries: [entry('SendRelease', 'no')] },
];

const USUAL = '10-';

function prefixBefore(bridge: string, files: readonly (ConfigFile | undefined)[]): string {
  const names = files.flatMap((file) => (file === undefined ? [] : [baseOf(file.path)]));
  const prefix = [USUAL, '0-'].find((one) => names.every((name) => `${one}qlaunch-${bridge}.network` < name));
  if (prefix !== undefined) return prefix;
  const first = names.toSorted()[0] ?? '';
  throw cannotPersist(
    bridge,
    [`${first} comes before any name that qlaunch would choose, and would win`],
    [`sudo mv ${DIR}/${first} ${DIR}/50-${first}`],
  );
}

const baseOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

function netdevSections(wish: PersistWish, mtu: number | undefined): readonly Section[] {
  const { name, mac, stp, vlanAware } = wish;
  return [
    {
      name: 'NetDev',
      entries: [
        entry('Name', name),
        entry('Kind', 'bridge'),
        ...(mac === undefined ? [] : [entry('MACAddress', mac)]),
        ...(mtu === undefined ? [] : [entry('MTUBytes', mtu)]),
      ],
    },
    {
      name: 'Bridge',
      entries: [
        entry('STP', stp === true ? 'yes' : 'no'),
        entry('ForwardDelaySec', delayOf(wish)),
        ...(vlanAware === true ? [entry('VLANFiltering', 'yes')] : []),
      ],
    },
  ];
}

/** Its own layer 2, and nothing above it: an address on the port would answer nobody. */
function portSections(
  { name: bridge, mtu }: PersistWish,
  uplink: string,
  old: readonly Section[],
): readonly Section[] {
  const stays = old.filter(({ name }) => !ABOVE.has(name) && name !== 'Match' && name !== 'Link');
  const link = sectionsNamed(old, 'Link').filter(
    ({ key }) => !WAITING.test(key) && (mtu === undefined || key !== 'MTUBytes'),
  );
  const stacked = sectionsNamed(old, 'Network').filter(({ key }) => STACKED.has(key));
  const none = ['LinkLocalAddressing', 'IPv6AcceptRA', 'LLDP'].map((key) => entry(key, 'no'));
  return [
    { name: 'Match', entries: [entry('Name', uplink)] },
    {
      name: 'Link',
      entries: [
        ...link,
        ...(mtu === undefined ? [] : [entry('MTUBytes', mtu)]),
        entry('RequiredForOnline', 'no'),
      ],
    },
    { name: 'Network', entries: [entry('Bridge', bridge), ...stacked, ...none] },
    ...stays,
  ];
}

/** What is above Ethernet, and so belongs to the bridge from now on. */
const ABOVE: ReadonlySet<string> = new Set([
  ...['Network', 'Address', 'Neighbor', 'IPv6AddressLabel', 'RoutingPolicyRule', 'NextHop', 'Route'],
  ...['DHCP', 'DHCPv4', 'DHCPv6', 'DHCPPrefixDelegation', 'IPv6PrefixDelegation', 'DHCPServer'],
  ...['DHCPServerStaticLease', 'IPv6SendRA', 'IPv6Prefix', 'IPv6RoutePrefix', 'IPv6AcceptRA'],
]);
/** Other links that are made on the NIC. */
const STACKED: ReadonlySet<string> = new Set([
  ...['VLAN', 'MACVLAN', 'MACVTAP', 'IPVLAN', 'IPVTAP', 'IPoIB', 'MACsec', 'VXLAN', 'Tunnel', 'Xfrm'],
]);
const WAITING = /^Required(Family)?ForOnline$/;

const sectionsNamed = (sections: readonly Section[], name: string): readonly Entry[] =>
  sections.filter((section) => section.name === name).flatMap(({ entries }) => entries);

/** As it was written for the NIC, remarks included. */
function movedSections(
  wish: PersistWish,
  all: readonly Section[],
  iaid: number | undefined,
): readonly Section[] {
  const { name, uplink = '' } = wish;
  const old = wish.instead === undefined ? all : withoutReplaced(wish, all);
  const renamed = (one: Entry): Entry => (one.value === uplink ? entry(one.key, name) : one);
  const moved = old
    .filter((section) => ABOVE.has(section.name))
    .map((section) => ({
      name: section.name,
      entries: section.entries
        .filter(({ key }) => section.name !== 'Network' || !STACKED.has(key))
        .map(renamed),
    }));
  const says = (key: string): boolean =>
    ['DHCP', 'DHCPv4'].some((section) => valuesOf(old, section, key).length > 0);
  const asks = asksOf(all).inet && (wish.instead?.dhcp4 === true || !isReplaced(wish, 'inet'));
  // Of one link it is the same number for both (dhcp_identifier_set_iaid() in systemd); routers may say that it is to ask.
  const keeps6 =
    iaid !== undefined && !isReplaced(wish, 'inet6') && valuesOf(old, 'DHCPv6', 'IAID').length === 0;
  // systemd.network(5): these two have no IAID in them. Of `duid`, the usual one, it is a part.
  const without = ['DHCP', 'DHCPv4'].some((section) =>
    /^(mac|duid-only)$/.test(valuesOf(old, section, 'ClientIdentifier').at(-1) ?? ''),
  );
  const keeps = asks && iaid !== undefined && !says('IAID') && !without;
  return [
    { name: 'Match', entries: [entry('Name', name)] },
    { name: 'Link', entries: sectionsNamed(old, 'Link').filter(({ key }) => WAITING.test(key)) },
    ...moved,
    // By itself it is made from the link's name, and the bridge has another one.
    { name: 'DHCPv4', entries: keeps ? [entry('IAID', iaid)] : [] },
    { name: 'DHCPv6', entries: keeps6 ? [entry('IAID', iaid)] : [] },
    ...(wish.instead === undefined ? [] : insteadSections(name, wish.instead, all)),
  ];
}
