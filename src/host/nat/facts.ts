/** What a network has to get along with on this host. */
import { existsSync, readFileSync } from 'node:fs';
import type { NatFacts, RouteFact } from '../../plan/nat/facts.ts';
import { parseCidr } from '../../spec/cidr.ts';
import { readIp } from '../../spec/ip.ts';
import { isProblem } from '../../spec/raw.ts';
import { readFacts } from '../facts.ts';
import { readChains, readFirewall } from '../firewall/read.ts';
import { askJson, type Raw, textOf } from '../ip-json.ts';
import type { Files, Host } from '../port.ts';

export async function readNatFacts(host: Host, token: string): Promise<NatFacts> {
  const [facts, chains, v4, v6] = await Promise.all([
    readFacts(host, token),
    readChains(host),
    askJson(host, ['ip', '-j', '-4', 'route', 'show', 'table', 'all']),
    askJson(host, ['ip', '-j', '-6', 'route', 'show', 'table', 'all']),
  ]);
  return {
    ...facts,
    routes: [...v4, ...v6].flatMap(routeFact),
    ipv6: existsSync('/proc/sys/net/ipv6'),
    ...(chains.length === 0 ? {} : { firewall: await readFirewall(host, chains, uplinkOf(v4)) }),
    resolvConf: /^\s*nameserver\s/m.test(textIfThere('/etc/resolv.conf')),
  };
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
