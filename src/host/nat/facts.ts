/** What a network has to get along with on this host. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { NatFacts, RouteFact } from '../../plan/nat/facts.ts';
import { parseCidr } from '../../spec/cidr.ts';
import { readIp } from '../../spec/ip.ts';
import { isProblem } from '../../spec/raw.ts';
import { readFacts } from '../facts.ts';
import { legacyFilters } from '../firewall/legacy.ts';
import { readChains, readFirewall } from '../firewall/read.ts';
import { askJson, type Raw, textOf } from '../ip-json.ts';
import { which } from '../linux-files.ts';
import type { Files, Host } from '../port.ts';
import { checksumMeans } from './checksum.ts';
import { liveForwards } from './forwards.ts';
import { hasOnlyIptables, readIptables } from './iptables.ts';

/** @param checksums whether the kernel completes them is tried */
export async function readNatFacts(host: Host, token: string, checksums: boolean = false): Promise<NatFacts> {
  const [facts, chains, iptables, legacy, forwards, checksum, v4, v6] = await Promise.all([
    readFacts(host, token),
    readChains(host),
    readIptables(host),
    hasOnlyIptables() ? [] : legacyFilters(host),
    liveForwards(host),
    checksums ? checksumMeans(host) : undefined,
    askJson(host, ['ip', '-j', '-4', 'route', 'show', 'table', 'all']),
    askJson(host, ['ip', '-j', '-6', 'route', 'show', 'table', 'all']),
  ]);
  const ipv6 = existsSync(CONF6);
  const isOff = ipv6 && attributeOf('all', 'disable_ipv6') === '1';
  return {
    ...facts,
    routes: [...v4, ...v6].flatMap(routeFact),
    ipv6,
    ...(iptables === undefined ? {} : { iptables }),
    ...(legacy.length === 0 ? {} : { legacy }),
    ...(checksum === undefined ? {} : { checksum }),
    loopback: forwards.flatMap(({ bridge, loopback }) => (loopback && bridge !== undefined ? [bridge] : [])),
    ...(isOff ? { ipv6Off: 'net.ipv6.conf.all.disable_ipv6 is 1' } : {}),
    advertised: ipv6 ? advertised([...v4, ...v6]) : [],
    ...(chains.length === 0 ? {} : { firewall: await readFirewall(host, chains, uplinkOf(v4)) }),
    // Its socket for programs; systemd-resolved.service(8).
    resolved: existsSync('/run/systemd/resolve/io.systemd.Resolve') && which('resolvectl') !== undefined,
    resolvConf: /^\s*nameserver\s/m.test(textIfThere('/etc/resolv.conf')),
  };
}

const CONF6 = '/proc/sys/net/ipv6/conf';

/** undefined: there is no such interface (any more). */
const attributeOf = (dev: string, name: string): string | undefined =>
  textIfThere(`${CONF6}/${dev}/${name}`).trim() || undefined;

/**
 * Where the default routes go, where a router has advertised something, and every NIC: a host that boots may not have
 * heard it yet. 0 in accept_ra: somebody else (systemd-networkd, NetworkManager) or nobody hears it. 1 on a host that routes
 * already: it is not heard, and never was.
 */
function advertised(routes: readonly Raw[]): readonly string[] {
  const devs = routes
    .filter(({ dst, protocol }) => dst === 'default' || protocol === 'ra')
    .flatMap(({ dev }) => textOf(dev) ?? []);
  const routesAlready = attributeOf('all', 'forwarding') === '1';
  return [...new Set([...devs, ...cards()])].filter((dev) => {
    const heard = attributeOf(dev, 'accept_ra');
    return heard === '2' || (heard === '1' && !routesAlready);
  });
}

/** Interfaces of a bus: no bridges, taps or veths. */
function cards(): readonly string[] {
  const all = existsSync('/sys/class/net') ? readdirSync('/sys/class/net') : [];
  return all.filter((dev) => existsSync(`/sys/class/net/${dev}/device`));
}

const uplinkOf = (routes: readonly Raw[]): string | undefined =>
  textOf(routes.find(({ dst }) => dst === 'default')?.['dev']);

/** A destination without "/" is one address. Default and multicast routes are in nobody's way. */
function routeFact(raw: Raw): readonly RouteFact[] {
  const dst = textOf(raw['dst']) ?? 'default';
  const ip = readIp(dst);
  const to = parseCidr(ip === undefined ? dst : `${dst}/${ip.family === 4 ? 32 : 128}`, 'ip route');
  if (isProblem(to) || to.prefix === 0 || textOf(raw['type']) === 'multicast') return [];
  const dev = textOf(raw['dev']);
  return [{ to, table: textOf(raw['table']) ?? 'main', ...(dev === undefined ? {} : { dev }) }];
}

function textIfThere(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

/** Its daemons, or its networks: then `default` and virbr0 are its own, also while it is not running. */
export async function hasLibvirt(files: Pick<Files, 'which'>): Promise<boolean> {
  if (existsSync('/etc/libvirt/qemu/networks')) return true;
  const found = await Promise.all(['libvirtd', 'virtnetworkd'].map((name) => files.which(name)));
  return found.some((path) => path !== undefined);
}
