/**
 * A bridge in ifcfg files: RHEL and CentOS to 9, Amazon Linux 2, read by the network scripts or by NetworkManager's
 * ifcfg-rh. What the NIC has above Ethernet is commented out where it is, and given to the bridge.
 */
import { type Assignment, ifcfgLine, lastValue, readIfcfg } from '../../../spec/bridge/ifcfg.ts';
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

export const IFCFG_DIR = '/etc/sysconfig/network-scripts';

interface ReadFile extends ConfigFile {
  readonly all: readonly Assignment[];
}

/** @param files ifcfg-, route-, route6-, rule- and rule6- files. Throws QL_PERSIST (exit 3). */
export function ifcfgFiles(wish: PersistWish, files: readonly ConfigFile[]): readonly KeptFile[] {
  const { name, uplink } = wish;
  const read = files
    .filter(({ path }) => path.startsWith(`${IFCFG_DIR}/ifcfg-`))
    .map((file): ReadFile => ({ ...file, all: readIfcfg(file.content) }));
  const there = read.find(({ path, all }) => (lastValue(all, 'DEVICE') ?? nameIn(path)) === name);
  if (there !== undefined)
    throw cannotPersist(name, [`${there.path} is about ${name} already`], [`edit ${there.path}`]);
  const old = uplink === undefined ? undefined : oneFor(wish, uplink, read);
  if (old === undefined) refuseUnsaid(wish);
  const master =
    old === undefined ? undefined : (lastValue(old.all, 'BRIDGE') ?? lastValue(old.all, 'MASTER'));
  if (master !== undefined)
    throw cannotPersist(name, [`${old?.path} makes it a port of ${master}`], [`edit ${old?.path}`]);
  return [
    { path: `${IFCFG_DIR}/ifcfg-${name}`, content: bridgeText(wish, old?.all) },
    ...(uplink === undefined ? [] : [portFile(wish, uplink, old)]),
    ...(old === undefined || uplink === undefined
      ? modelRoutes(wish)
      : files.flatMap((file) => movedRoutes(name, uplink, nameIn(old.path), file))),
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

function bridgeText(wish: PersistWish, old: readonly Assignment[] | undefined): string {
  const { name, mac, stp, vlanAware } = wish;
  const moved = old === undefined ? modelLines(wish) : movedLines(old);
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
function movedLines(old: readonly Assignment[]): readonly string[] {
  const metrics = ['IPV4_ROUTE_METRIC', 'IPV6_ROUTE_METRIC'].filter(
    (key) => lastValue(old, key) === undefined && lastValue(old, 'NM_CONTROLLED') !== 'no',
  );
  return [
    ...old.filter(({ key }) => ABOVE.test(key)).map(({ key, value }) => ifcfgLine(key, value)),
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
function movedRoutes(
  bridge: string,
  uplink: string,
  profile: string,
  { path, content }: ConfigFile,
): readonly KeptFile[] {
  const [, kind, of] = /\/(route6?|rule6?)-([^/]+)$/.exec(path) ?? [];
  if (kind === undefined || (of !== uplink && of !== profile)) return [];
  const moved = content.replaceAll(/\S+/g, (word) => (word === uplink ? bridge : word));
  return [
    { path: `${IFCFG_DIR}/${kind}-${bridge}`, content: `${headOf(bridge, 'removes this file')}\n${moved}` },
    { path, content: content.replaceAll(/^(?=.)/gm, MARK) },
  ];
}

function modelLines({ addresses, routes = [], dhcp4, ra }: PersistWish): readonly string[] {
  const [v4, v6] = [false, true].map((is6) => addresses.filter((one) => one.includes(':') === is6));
  const gateway = (is6: boolean): string | undefined =>
    routes.find(({ to, via }) => to === undefined && via.includes(':') === is6)?.via;
  const [gateway4, gateway6] = [gateway(false), gateway(true)];
  const [first6, ...more6] = v6 ?? [];
  return [
    ifcfgLine('BOOTPROTO', dhcp4 === true ? 'dhcp' : 'none'),
    ...(v4 ?? []).flatMap((one, index) => {
      const [address = '', prefix = ''] = one.split('/');
      const which = index === 0 ? '' : String(index);
      return [ifcfgLine(`IPADDR${which}`, address), ifcfgLine(`PREFIX${which}`, prefix)];
    }),
    ...(gateway4 === undefined ? [] : [ifcfgLine('GATEWAY', gateway4)]),
    ifcfgLine('IPV6INIT', ra === true || first6 !== undefined ? 'yes' : 'no'),
    ifcfgLine('IPV6_AUTOCONF', ra === true ? 'yes' : 'no'),
    ...(first6 === undefined ? [] : [ifcfgLine('IPV6ADDR', first6)]),
    ...(more6.length === 0 ? [] : [ifcfgLine('IPV6ADDR_SECONDARIES', more6.join(' '))]),
    ...(gateway6 === undefined ? [] : [ifcfgLine('IPV6_DEFAULTGW', gateway6)]),
  ];
}

function modelRoutes({ name, routes = [] }: PersistWish): readonly KeptFile[] {
  return ['route', 'route6'].flatMap((kind) => {
    const own = routes.filter(({ to, via }) => to !== undefined && via.includes(':') === (kind === 'route6'));
    const lines = own.map(
      ({ to, via, metric }) =>
        `${to} via ${via} dev ${name}${metric === undefined ? '' : ` metric ${metric}`}`,
    );
    if (lines.length === 0) return [];
    const content = `${[headOf(name, 'removes this file'), ...lines].join('\n')}\n`;
    return [{ path: `${IFCFG_DIR}/${kind}-${name}`, content }];
  });
}
