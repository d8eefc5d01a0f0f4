/** All that is on a NIC, read for its move to a bridge. */
import type { LinkAddress } from '../../plan/bridge/address.ts';
import type { Neighbour } from '../../plan/bridge/layer3.ts';
import { readLinkSettings } from '../../plan/bridge/resolved.ts';
import type { UplinkFacts } from '../../plan/bridge/uplink.ts';
import { askJson, isObject, listOf, type Raw, textOf } from '../ip-json.ts';
import type { Host, Machine } from '../port.ts';
import { dhcpClients } from './dhcp.ts';
import { nameServersOf } from './name-servers.ts';
import { leasedAddress, leaseOf } from './persist/unit-files.ts';

const FOREVER_S = 4_294_967_295;
const FLAGS = ['home', 'nodad', 'mngtmpaddr', 'noprefixroute', 'autojoin'];

/** Errors: QL_IP. */
export async function readUplink(machine: Machine, link: string): Promise<UplinkFacts> {
  const [shown, addresses, v4, v6, rules4, rules6, permanent, proxies] = await Promise.all([
    askJson(machine, ['ip', '-d', '-j', 'link', 'show', 'dev', link]),
    askJson(machine, ['ip', '-d', '-j', 'address', 'show', 'dev', link]),
    askJson(machine, ['ip', '-4', '-d', '-j', 'route', 'show', 'table', 'all']),
    askJson(machine, ['ip', '-6', '-d', '-j', 'route', 'show', 'table', 'all']),
    askJson(machine, ['ip', '-4', '-j', 'rule', 'show']),
    askJson(machine, ['ip', '-6', '-j', 'rule', 'show']),
    askJson(machine, ['ip', '-j', 'neigh', 'show', 'dev', link, 'nud', 'permanent']),
    askJson(machine, ['ip', '-j', 'neigh', 'show', 'proxy', 'dev', link]),
  ]);
  const off = await machine.read(`/proc/sys/net/ipv6/conf/${link}/disable_ipv6`);
  const genMode =
    off === '0' ? await machine.read(`/proc/sys/net/ipv6/conf/${link}/addr_gen_mode`) : undefined;
  const found = addresses.flatMap((raw) => listOf(raw['addr_info'])).flatMap(linkAddress);
  const limited = found.find(({ family, validS }) => family === 'inet' && validS !== undefined);
  // A client whose script gives no lifetime (busybox's) has an address that looks like anybody's.
  const address = limited ?? found.find(({ family }) => family === 'inet');
  const ifindex = Number(shown[0]?.['ifindex']);
  const lease = await leaseOf(machine, ifindex);
  const leased = leasedAddress(lease);
  const nameServers = await nameServersOf(machine, link, ifindex, lease);
  return {
    link,
    addresses: found,
    clients: await dhcpClients(machine, link, address?.local, metricOf(v4, link)),
    ...(leased === undefined ? {} : { leased }),
    ...(nameServers === undefined ? {} : { nameServers }),
    routes: [
      ...v4.map((row) => ({ family: 'inet', row }) as const),
      ...v6.map((row) => ({ family: 'inet6', row }) as const),
    ],
    rules: [
      ...rules4.map((row) => ({ family: 'inet', row }) as const),
      ...rules6.map((row) => ({ family: 'inet6', row }) as const),
    ],
    neighbours: [...permanent, ...proxies].flatMap(neighbour),
    settings: [...(await settings(machine, 'ipv4', link)), ...(await settings(machine, 'ipv6', link))],
    ...(genMode === undefined ? {} : { genMode }),
    acceptsRa: await acceptsRa(machine, link),
    resolved: await resolved(machine, link, shown[0]?.['ifindex']),
    xdp: shown.some((raw) => 'xdp' in raw),
  };
}

/** Of the default route that was leased. */
function metricOf(routes: readonly Raw[], link: string): number | undefined {
  const leased = routes.find(
    (row) => row['dst'] === 'default' && row['dev'] === link && row['protocol'] === 'dhcp',
  );
  return typeof leased?.['metric'] === 'number' ? leased['metric'] : undefined;
}

/** What resolved keeps after its end is nobody's any more: it has to answer. */
async function resolved(machine: Machine, link: string, index: unknown): Promise<UplinkFacts['resolved']> {
  const text = await machine.read(`/run/systemd/resolve/netif/${String(index)}`);
  if (text === undefined || (await machine.which('resolvectl')) === undefined) return [];
  const { status } = await machine.run(['resolvectl', 'dns', link], { timeoutMs: 5_000 });
  return status === 0 ? readLinkSettings(text) : [];
}

/** ipv6_accept_ra() in linux/include/net/addrconf.h: a router takes them only where told by 2. */
async function acceptsRa(machine: Machine, link: string): Promise<boolean> {
  const of = (name: string): Promise<string | undefined> =>
    machine.read(`/proc/sys/net/ipv6/conf/${link}/${name}`);
  const [accept = '0', forwarding] = [await of('accept_ra'), await of('forwarding')];
  return accept === '2' || (accept !== '0' && forwarding === '0');
}

function linkAddress(raw: unknown): readonly LinkAddress[] {
  if (!isObject(raw)) return [];
  const [family, local] = [raw['family'], textOf(raw['local'])];
  if ((family !== 'inet' && family !== 'inet6') || local === undefined) return [];
  const lifetime = (key: string): number | undefined => {
    const value = raw[key];
    return typeof value === 'number' && value !== FOREVER_S ? value : undefined;
  };
  const optional = {
    peer: textOf(raw['address']),
    broadcast: textOf(raw['broadcast']),
    label: textOf(raw['label']),
    metric: typeof raw['metric'] === 'number' ? raw['metric'] : undefined,
    validS: lifetime('valid_life_time'),
    preferredS: lifetime('preferred_life_time'),
  };
  return [
    {
      family,
      local,
      prefixlen: typeof raw['prefixlen'] === 'number' ? raw['prefixlen'] : 0,
      scope: textOf(raw['scope']) ?? 'global',
      flags: FLAGS.filter((flag) => raw[flag] === true),
      ...(Object.fromEntries(
        Object.entries(optional).filter(([, value]) => value !== undefined),
      ) as Partial<LinkAddress>),
    },
  ];
}

function neighbour(raw: Raw): readonly Neighbour[] {
  const [address, mac] = [textOf(raw['dst']), textOf(raw['lladdr'])];
  if (address === undefined) return [];
  if ('proxy' in raw) return [{ address }];
  return mac === undefined ? [] : [{ address, mac }];
}

/** Not what the link itself or the move decides, and what is no setting. */
const NOT_COPIED: ReadonlySet<string> = new Set(['addr_gen_mode', 'mtu', 'mc_forwarding', 'stable_secret']);

/** A new link has the values of `default`. */
async function settings(
  machine: Machine,
  family: 'ipv4' | 'ipv6',
  link: string,
): Promise<UplinkFacts['settings']> {
  const at = (of: string): string => `/proc/sys/net/${family}/conf/${of}`;
  const names = (await machine.list(at(link))) ?? [];
  const found: { family: 'ipv4' | 'ipv6'; name: string; value: string }[] = [];
  for (const name of names.filter((one) => !NOT_COPIED.has(one))) {
    const [value, usual] = [
      await settingOf(machine, `${at(link)}/${name}`),
      await settingOf(machine, `${at('default')}/${name}`),
    ];
    if (value !== undefined && usual !== undefined && value !== usual) found.push({ family, name, value });
  }
  return found;
}

async function settingOf(host: Host, path: string): Promise<string | undefined> {
  try {
    return await host.read(path);
  } catch {
    // Some may only be written.
    return undefined;
  }
}
