/** One look at the host before planning. From `ip -j`: /sys may belong to another network namespace. */
import { EXIT, QlaunchError } from '../errors.ts';
import type { AddressFact, HostFacts, LinkFact, TunFact } from '../plan/facts.ts';
import { newToken } from './ids.ts';
import type { Host } from './port.ts';

/** `ip -j` leaves `{}` for what it filtered out. */
type Raw = Record<string, unknown>;

export async function readFacts(host: Host, token: string = newToken()): Promise<HostFacts> {
  const [links, addresses] = await Promise.all([
    ipJson(host, ['-d', 'link', 'show']),
    ipJson(host, ['address', 'show']),
  ]);
  const byIndex = new Map(addresses.map((raw) => [raw['ifindex'], raw['addr_info']]));
  return { links: links.map((raw) => linkFact(raw, byIndex.get(raw['ifindex']))), token };
}

/** Runs `ip -j …` and gives its list. Throws QL_IP when it fails. */
async function ipJson(host: Host, words: readonly string[]): Promise<readonly Raw[]> {
  const result = await host.run(['ip', '-j', ...words], { timeoutMs: 10_000 });
  if (result.status !== 0) {
    throw new QlaunchError('QL_IP', EXIT.host, {
      what: 'cannot read the network of this host',
      why: [result.stderr.trim() || 'ip gave no answer'],
      todo: [`ip -j ${words.join(' ')}`],
    });
  }
  const rows: unknown = JSON.parse(result.stdout === '' ? '[]' : result.stdout);
  return Array.isArray(rows) ? rows.filter((row): row is Raw => isRaw(row) && 'ifindex' in row) : [];
}

const isRaw = (value: unknown): value is Raw => typeof value === 'object' && value !== null;
const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
const number = (value: unknown): number => (typeof value === 'number' ? value : 0);

/** One row of `ip -d -j link`; `addresses`: the addr_info of `ip -j address`. */
export function linkFact(raw: Raw, addresses?: unknown): LinkFact {
  const info = raw['linkinfo'];
  const link = isRaw(info) ? info : {};
  const kind = text(link['info_kind']);
  const optional = {
    address: text(raw['address']),
    ifalias: text(raw['ifalias']),
    master: text(raw['master']),
    operstate: text(raw['operstate']),
    kind,
  };
  const found = Object.entries(optional).filter(([, value]) => value !== undefined);
  return {
    ifindex: number(raw['ifindex']),
    ifname: text(raw['ifname']) ?? '',
    mtu: number(raw['mtu']),
    flags: Array.isArray(raw['flags']) ? raw['flags'].filter((flag) => typeof flag === 'string') : [],
    link_type: text(raw['link_type']) ?? '',
    addresses: Array.isArray(addresses) ? addresses.flatMap(addressFact) : [],
    ...(kind === 'tun' && isRaw(link['info_data']) ? { tun: tunFact(link['info_data']) } : {}),
    ...(Object.fromEntries(found) as Partial<Record<keyof typeof optional, string>>),
  };
}

function tunFact(raw: Raw): TunFact {
  const [user, group] = [text(raw['user']), text(raw['group'])];
  return {
    type: raw['type'] === 'tap' ? 'tap' : 'tun',
    ...(user === undefined ? {} : { user }),
    ...(group === undefined ? {} : { group }),
    multiQueue: raw['multi_queue'] === true,
    persist: raw['persist'] === true,
  };
}

function addressFact(raw: Raw): AddressFact[] {
  const family = text(raw['family']);
  const local = text(raw['local']);
  if (local === undefined || (family !== 'inet' && family !== 'inet6')) return [];
  return [{ family, local, prefixlen: number(raw['prefixlen']) }];
}
