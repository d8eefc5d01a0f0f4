/**
 * A bridge in ifcfg files: RHEL and CentOS to 9, Amazon Linux 2, read by the network scripts or by NetworkManager's
 * ifcfg-rh. What the NIC has above Ethernet is commented out where it is, and given to the bridge.
 */
import { type Assignment, ifcfgLine, lastValue, readIfcfg } from '../../../spec/bridge/ifcfg.ts';
import { IFCFG_DIR, isInModel, modelLines, modelRoutes, type Reader, ruleLines } from './model/ifcfg.ts';
import {
  type ConfigFile,
  cannotPersist,
  delayOf,
  headOf,
  isReplaced,
  type KeptFile,
  MARK,
  type PersistWish,
  refuseUnsaid,
} from './wish.ts';

interface ReadFile extends ConfigFile {
  readonly all: readonly Assignment[];
}

/** @param files ifcfg-, route-, route6-, rule- and rule6- files. Throws QL_PERSIST (exit 3). */
export function ifcfgFiles(
  wish: PersistWish,
  files: readonly ConfigFile[],
  reader: Reader = 'NetworkManager',
): readonly KeptFile[] {
  const { name, uplink } = wish;
  const read = files
    .filter(({ path }) => path.startsWith(`${IFCFG_DIR}/ifcfg-`))
    .map((file): ReadFile => ({ ...file, all: readIfcfg(file.content) }));
  const there = read.find(({ path, all }) => (lastValue(all, 'DEVICE') ?? nameIn(path)) === name);
  if (there !== undefined)
    throw cannotPersist(name, [`${there.path} is about ${name} already`], [`edit ${there.path}`]);
  const old = uplink === undefined ? undefined : oneFor(wish, uplink, read);
  refuseUnsaid(wish, old !== undefined);
  const master =
    old === undefined ? undefined : (lastValue(old.all, 'BRIDGE') ?? lastValue(old.all, 'MASTER'));
  if (master !== undefined)
    throw cannotPersist(name, [`${old?.path} makes it a port of ${master}`], [`edit ${old?.path}`]);
  return [
    { path: `${IFCFG_DIR}/ifcfg-${name}`, content: bridgeText(wish, old?.all, reader) },
    ...(uplink === undefined ? [] : [portFile(wish, uplink, old)]),
    ...(old === undefined || uplink === undefined
      ? modelRoutes(name, wish, reader)
      : [
          ...files.flatMap((file) => movedRoutes(wish, nameIn(old.path), file)),
          ...(wish.instead === undefined ? [] : modelRoutes(name, wish.instead, reader)),
        ]),
  ];
}

/** What is for the NIC, by its path: what counts is what it says, not its name. */
export const ifcfgRuler = (
  files: readonly ConfigFile[],
  link: string,
  mac: string | undefined,
): string | undefined =>
  files
    .filter(({ path }) => path.startsWith(`${IFCFG_DIR}/ifcfg-`))
    .map((file): ReadFile => ({ ...file, all: readIfcfg(file.content) }))
    .find((file) => isAtBoot(file) && isFor(file, link, mac))?.path;

const nameIn = (path: string): string => path.slice(`${IFCFG_DIR}/ifcfg-`.length);

function isFor({ path, all }: ReadFile, link: string, mac: string | undefined): boolean {
  const [device, address] = [lastValue(all, 'DEVICE'), lastValue(all, 'HWADDR')];
  if (device !== undefined) return device === link;
  if (address !== undefined) return address.toLowerCase() === mac?.toLowerCase();
  return nameIn(path) === link;
}

const isAtBoot = ({ all }: ReadFile): boolean =>
  !/^(no|n|false|f|0)$/i.test(lastValue(all, 'ONBOOT') ?? 'yes');

/** undefined: no file brings it up at boot. */
function oneFor({ name, mac }: PersistWish, uplink: string, read: readonly ReadFile[]): ReadFile | undefined {
  const [old, more] = read.filter((file) => isAtBoot(file) && isFor(file, uplink, mac));
  if (more !== undefined)
    throw cannotPersist(
      name,
      [`${old?.path} and ${more.path} are both for ${uplink}`],
      [`ONBOOT=no in all but one of them`],
    );
  const names = [uplink, ...(old === undefined ? [] : [nameIn(old.path)])];
  const alias = read.find((file) =>
    [nameIn(file.path), lastValue(file.all, 'DEVICE') ?? ''].some((text) =>
      names.some((one) => text.startsWith(`${one}:`) || text.startsWith(`${one}-range`)),
    ),
  );
  if (alias !== undefined)
    throw cannotPersist(
      name,
      [`${alias.path} has more addresses of ${uplink}, which would stay on it`],
      [
        `write them as IPADDR1=, PREFIX1= and so on in ${old?.path ?? `${IFCFG_DIR}/ifcfg-${uplink}`}, and remove ${alias.path}`,
      ],
    );
  const off = read.find((file) => file !== old && nameIn(file.path) === uplink);
  if (old === undefined && off !== undefined)
    throw cannotPersist(
      name,
      [`${off.path} is there, and does not bring ${uplink} up at boot`],
      [`ONBOOT=yes in ${off.path} where it is for ${uplink}; else give it another name`],
    );
  return old;
}

/** What is above Ethernet. */
const ABOVE = new RegExp(
  `^(${[
    ...[
      'BOOTPROTO',
      'DEFROUTE',
      'PEER(DNS|ROUTES)',
      'DOMAIN',
      'SEARCH',
      'ZONE',
      'NOZEROCONF',
      'ARP(CHECK|UPDATE)',
    ],
    ...[
      '(IPADDR|PREFIX|NETMASK|GATEWAY|BROADCAST|NETWORK|DNS)[0-9]*',
      'METRIC',
      'SCOPE',
      'SRCADDR',
      'GATEWAYDEV',
    ],
    ...['DHCP.*', 'DHCLIENT.*', 'PERSISTENT_DHCLIENT', 'IPV4_.*', 'IPV6.*', 'RES_OPTIONS', 'LINKDELAY'],
    ...[
      'PROXY_METHOD',
      'BROWSER_ONLY',
      'PAC_(URL|SCRIPT)',
      'CONNECTION_METERED',
      'MDNS',
      'LLMNR',
      'ROUTING_RULE.*',
    ],
  ].join('|')})$`,
);

function bridgeText(wish: PersistWish, old: readonly Assignment[] | undefined, reader: Reader): string {
  const { name, mac, stp, vlanAware } = wish;
  const moved =
    old === undefined ? [...modelLines(wish), ...ruleLines(wish, name, reader)] : movedLines(wish, old);
  const mtu = wish.mtu ?? lastValue(old ?? [], 'MTU');
  const controlled = lastValue(old ?? [], 'NM_CONTROLLED');
  return `${[
    headOf(name, 'removes this file'),
    ifcfgLine('DEVICE', name),
    ifcfgLine('NAME', name),
    'TYPE=Bridge',
    'ONBOOT=yes',
    ...(controlled === undefined ? [] : [ifcfgLine('NM_CONTROLLED', controlled)]),
    ifcfgLine('STP', stp === true ? 'on' : 'off'),
    ifcfgLine('DELAY', delayOf(wish)),
    ...(mac === undefined ? [] : [ifcfgLine('MACADDR', mac.toUpperCase())]),
    ...(mtu === undefined ? [] : [ifcfgLine('MTU', mtu)]),
    ...(vlanAware === true ? [ifcfgLine('BRIDGING_OPTS', 'vlan_filtering=1')] : []),
    ...moved,
  ].join('\n')}\n`;
}

/** NetworkManager gives routes of bridges the metric 425, those of a NIC 100; the network scripts do not read it. */
function movedLines(wish: PersistWish, old: readonly Assignment[]): readonly string[] {
  const metrics = ['IPV4_ROUTE_METRIC', 'IPV6_ROUTE_METRIC'].filter(
    (key) => lastValue(old, key) === undefined && lastValue(old, 'NM_CONTROLLED') !== 'no',
  );
  return [
    ...old
      .filter(({ key }) => ABOVE.test(key) && !isInModel(wish, key))
      .map(({ key, value }) => ifcfgLine(key, value)),
    ...(wish.instead === undefined ? [] : modelLines(wish.instead, wish.instead.families)),
    ...metrics.map((key) => ifcfgLine(key, 100)),
  ];
}

function portFile({ name, mtu }: PersistWish, uplink: string, old: ReadFile | undefined): KeptFile {
  const port = [ifcfgLine('BRIDGE', name), ...(mtu === undefined ? [] : [ifcfgLine('MTU', mtu)])];
  if (old === undefined)
    return {
      path: `${IFCFG_DIR}/ifcfg-${uplink}`,
      content: `${[headOf(name, 'removes this file'), ifcfgLine('DEVICE', uplink), 'TYPE=Ethernet', 'ONBOOT=yes', ...port].join('\n')}\n`,
    };
  const lines = old.content.replace(/\n$/, '').split('\n');
  for (const { key, value, line, curly } of old.all) {
    const isOver = ABOVE.test(key) || (key === 'MTU' && mtu !== undefined);
    // Whoever reads it at boot would take the quotes for letters.
    if (isOver || curly) lines[line] = `${MARK}${lines[line]}${isOver ? '' : `\n${ifcfgLine(key, value)}`}`;
  }
  const head = headOf(name, 'puts back what was here before');
  return { path: old.path, content: `${[...lines, head, ...port].join('\n')}\n` };
}

/** route-eth0 and the like: the network scripts find them by the link's name. */
function movedRoutes(wish: PersistWish, profile: string, { path, content }: ConfigFile): readonly KeptFile[] {
  const { name: bridge, uplink } = wish;
  const [, kind, of] = /\/(route6?|rule6?)-([^/]+)$/.exec(path) ?? [];
  if (kind === undefined || (of !== uplink && of !== profile)) return [];
  const old = { path, content: content.replaceAll(/^(?=.)/gm, MARK) };
  if (kind.startsWith('route') && isReplaced(wish, kind === 'route6' ? 'inet6' : 'inet')) return [old];
  const moved = content.replaceAll(/\S+/g, (word) => (word === uplink ? bridge : word));
  return [
    { path: `${IFCFG_DIR}/${kind}-${bridge}`, content: `${headOf(bridge, 'removes this file')}\n${moved}` },
    old,
  ];
}
