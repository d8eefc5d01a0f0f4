/** One look at the host's network for its map. Changes nothing and needs no rights. */
import type { BoardFacts, Learned, Neighbour } from '../../plan/map/facts.ts';
import { askJson, listOf, type Raw, textOf } from '../ip-json.ts';
import type { Host } from '../port.ts';
import { readLeases } from './leases.ts';
import { boardLinks } from './links.ts';
import { tunHolders } from './tun-holders.ts';

/**
 * @param leaseFiles dnsmasq's, of our own networks
 * Errors: QL_IP when `ip` cannot tell the links. What else cannot be told is left out.
 */
export async function readBoard(
  host: Pick<Host, 'run'>,
  leaseFiles: readonly string[],
): Promise<Omit<BoardFacts, 'vms'>> {
  const maybe = (...argv: readonly [string, ...string[]]): Promise<readonly Raw[]> =>
    askJson(host, argv).catch(() => []);
  const links = await askJson(host, ['ip', '-j', '-d', '-s', 'link', 'show']);
  const atMs = performance.now();
  const [addresses, vlans, fdb, neighbours, routes4, routes6] = await Promise.all([
    maybe('ip', '-j', 'address', 'show'),
    maybe('bridge', '-j', 'vlan', 'show'),
    maybe('bridge', '-j', 'fdb', 'show'),
    maybe('ip', '-j', 'neigh', 'show'),
    maybe('ip', '-j', '-4', 'route', 'show', 'default'),
    maybe('ip', '-j', '-6', 'route', 'show', 'default'),
  ]);
  const all = boardLinks(links, addresses, vlans);
  const devices = [...routes4, ...routes6].flatMap(routeDevices);
  return {
    atMs,
    links: all,
    defaultDevices: [...new Set(devices)],
    neighbours: [...neighbours.flatMap(neighbour), ...readLeases(leaseFiles)],
    learned: fdb.flatMap(learned),
    holders: all.some(({ kind }) => kind === 'tun') ? tunHolders() : [],
  };
}

/** A route over several ways names them in `nexthops`. */
function routeDevices(raw: Raw): readonly string[] {
  const hops = listOf(raw['nexthops']).map((hop) => textOf((hop as Raw)['dev']));
  return [textOf(raw['dev']), ...hops].filter((dev) => dev !== undefined);
}

/** FAILED and INCOMPLETE ones have no MAC. */
function neighbour(raw: Raw): readonly Neighbour[] {
  const [address, mac] = [textOf(raw['dst']), textOf(raw['lladdr'])];
  return address === undefined || mac === undefined
    ? []
    : [{ address, mac: mac.toLowerCase(), source: 'neighbour' }];
}

function learned(raw: Raw): readonly Learned[] {
  const [mac, port] = [textOf(raw['mac']), textOf(raw['ifname'])];
  if (mac === undefined || port === undefined || raw['state'] === 'permanent' || raw['master'] === undefined)
    return [];
  return [{ mac: mac.toLowerCase(), port }];
}
