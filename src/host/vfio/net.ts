/** The network's share of what depends on a function: interfaces, and why the host needs them. */
import { join } from 'node:path';
import type { Netdev, NetReason, VfAdmin } from '../../plan/vfio/facts.ts';
import { askJson, isObject, listOf, numberOf, type Raw, textOf } from '../ip-json.ts';
import type { Host } from '../port.ts';
import { defined, functionOf, names, representorOf, text } from './bus.ts';

export async function readNetdevs(host: Pick<Host, 'run'>, root: string): Promise<readonly Netdev[]> {
  const [links, addresses] = await Promise.all([
    askJson(host, ['ip', '-j', '-d', 'link', 'show']),
    askJson(host, ['ip', '-j', 'address', 'show', 'scope', 'global']),
  ]);
  return links
    .filter((raw) => 'ifname' in raw)
    .map((raw) =>
      netdev(
        raw,
        addresses.find((one) => one['ifname'] === raw['ifname']),
        root,
      ),
    );
}

function netdev(raw: Raw, withAddresses: Raw | undefined, root: string): Netdev {
  const name = textOf(raw['ifname']) ?? '';
  const info = isObject(raw['linkinfo']) ? raw['linkinfo'] : {};
  const slave = isObject(info['info_slave_data']) ? info['info_slave_data'] : {};
  const flags = listOf(raw['flags']);
  const addresses = listOf(withAddresses?.['addr_info'])
    .filter(isObject)
    .map((one) => `${textOf(one['local']) ?? ''}/${numberOf(one['prefixlen'])}`);
  const optional = {
    // A port of a bond shows the bond's address as its own.
    mac: textOf(slave['perm_hwaddr']) ?? textOf(raw['permaddr']) ?? textOf(raw['address']),
    address: textOf(raw['address']),
    kind: textOf(info['info_kind']),
    master: textOf(raw['master']),
    representor: representorOf(root, name),
    lower: 'link_netnsid' in raw ? undefined : textOf(raw['link']),
  };
  return {
    name,
    altnames: listOf(raw['altnames']).filter((one) => typeof one === 'string'),
    mtu: numberOf(raw['mtu']),
    up: flags.includes('UP'),
    carrier: flags.includes('LOWER_UP'),
    addresses,
    vfs: listOf(raw['vfinfo_list']).filter(isObject).map(vfAdmin),
    ...defined(optional),
    ...(optional.kind === undefined ? functionOf(root, name) : {}),
  };
}

/** ip/ipaddress.c in iproute2: print_vfinfo(). */
function vfAdmin(raw: Raw): VfAdmin {
  const vlans = listOf(raw['vlan_list']).filter(isObject);
  const vlan = vlans[0] ?? raw;
  const rate = isObject(raw['rate']) ? raw['rate'] : {};
  const flag = (key: string): boolean | undefined => {
    const value = raw[key];
    return typeof value === 'boolean' ? value : undefined;
  };
  const optional = {
    mac: textOf(raw['address']),
    spoofchk: flag('spoofchk'),
    trust: flag('trust'),
    linkState: textOf(raw['link_state']),
  };
  return {
    index: numberOf(raw['vf']),
    vlan: numberOf(vlan['vlan']),
    qos: numberOf(vlan['qos']),
    maxRate: numberOf(rate['max_tx']) || numberOf(raw['tx_rate']),
    minRate: numberOf(rate['min_tx']),
    ...defined(optional),
  };
}

/** Default routes, who types at us by SSH, and servers of file systems that are mounted. */
export async function readReasons(
  host: Pick<Host, 'run'>,
  root: string,
  peers: readonly string[],
): Promise<readonly NetReason[]> {
  const families = [['-4'], ['-6']];
  const tables = await Promise.all(
    families.map((family) =>
      askJson(host, ['ip', '-j', ...family, 'route', 'show', 'table', 'all']).catch(() => []),
    ),
  );
  const defaults = tables
    .flat()
    .filter(
      (raw) =>
        raw['dst'] === 'default' &&
        !['unreachable', 'blackhole', 'prohibit'].includes(textOf(raw['type']) ?? ''),
    )
    .flatMap(devsOf)
    .map((name) => ({ name, why: 'default route' }));
  const wanted = [
    ...peers.map((peer) => [peer, 'your SSH session'] as const),
    ...servers(root).map((server) => [server, `a mounted file system of ${server}`] as const),
  ];
  const routed = await Promise.all(
    wanted.map(async ([to, why]) => (await routeTo(host, to)).map((name) => ({ name, why }))),
  );
  return unique([...defaults, ...routed.flat()]);
}

function devsOf(raw: Raw): readonly string[] {
  const hops = listOf(raw['nexthops']).filter(isObject);
  return [raw, ...hops].flatMap((one) => textOf(one['dev']) ?? []).filter((name) => name !== 'lo');
}

async function routeTo(host: Pick<Host, 'run'>, address: string): Promise<readonly string[]> {
  const rows = await askJson(host, ['ip', '-j', 'route', 'get', address]).catch(() => []);
  return rows.flatMap(devsOf);
}

/** NFS, CIFS, Ceph and 9p over TCP say addr= in their options; iSCSI says it in /sys. */
function servers(root: string): readonly string[] {
  const mounts = text(join(root, '/proc/self/mounts')) ?? '';
  const fromMounts = mounts
    .split('\n')
    .filter((line) => /^\S+ \S+ (nfs4?|cifs|smb3|ceph|9p) /.test(line))
    .flatMap((line) => /[ ,]addr=([0-9a-f.:]+)/i.exec(line)?.[1] ?? []);
  const iscsi = join(root, '/sys/class/iscsi_connection');
  const fromIscsi = names(iscsi).flatMap((name) => text(join(iscsi, name, 'persistent_address')) ?? []);
  return [...new Set([...fromMounts, ...fromIscsi])];
}

/**
 * SSH_CONNECTION of ourselves or of a process above us: sudo takes it out of our own environment. "PEER PORT HOST PORT".
 */
export function sshPeers(
  root: string,
  env: Readonly<Record<string, string | undefined>>,
  pid: number,
): readonly string[] {
  const found = new Set<string>();
  const take = (value: string | undefined): void => {
    const peer = value?.split(' ')[0];
    if (peer !== undefined && peer !== '') found.add(peer.replace(/%.*$/, ''));
  };
  take(env['SSH_CONNECTION'] ?? env['SSH_CLIENT']);
  for (let at = pid, depth = 0; at > 1 && depth < 32; depth += 1) {
    const dir = join(root, '/proc', String(at));
    const environ = text(join(dir, 'environ')) ?? '';
    take(/(?:^|\0)SSH_CONNECTION=([^\0]*)/.exec(environ)?.[1]);
    at = Number(text(join(dir, 'stat'))?.split(') ').at(-1)?.split(' ')[1] ?? 0);
  }
  return [...found];
}

const unique = (reasons: readonly NetReason[]): readonly NetReason[] => [
  ...new Map(reasons.map((one) => [`${one.name} ${one.why}`, one])).values(),
];
