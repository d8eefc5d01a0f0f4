/** dnsmasq of a network is started; where somebody else answers names on its address already, for addresses only. */
import { EXIT, QlaunchError } from '../../errors.ts';
import { holds, type Listener, listenersOn } from '../../host/listeners.ts';
import { ensureDnsmasq } from '../../host/nat/dnsmasq.ts';
import { upstreamServers } from '../../host/nat/name-servers.ts';
import { type NatPlaces, readStatuses } from '../../host/nat/places.ts';
import type { Host } from '../../host/port.ts';
import { putFile } from '../../plan/files.ts';
import type { DefinedNetwork } from '../../plan/nat/defined.ts';
import { type DnsChoice, elsewhere } from '../../plan/nat/name-server.ts';
import { formatIp } from '../../spec/ip.ts';
import type { Engine } from '../engine.ts';
import { amendNetwork } from './amend.ts';

/** What to tell. Errors: QL_DNSMASQ (exit 4), which names who has its port; QL_NO_NAME_SERVER (exit 3). */
export async function startDaemon(
  engine: Engine,
  places: NatPlaces,
  network: DefinedNetwork,
  choice: DnsChoice = 'host',
): Promise<readonly string[]> {
  const { name } = network;
  const paths = places.paths(name);
  try {
    await ensureDnsmasq(name, paths, places.lock(name));
    return [];
  } catch (error) {
    const holder = isPortTaken(error) ? await holderOf(engine.machine, network, 53) : undefined;
    if (holder === undefined || !network.dns) throw await withHolder(error, engine.machine, network);
    const servers = serversFor(choice, network);
    await engine.locked(`net start ${name}`, () => withoutNames(engine, places, name, servers));
    await ensureDnsmasq(name, paths, places.lock(name));
    const whom = servers.length === 0 ? 'nobody' : servers.join(', ');
    return [
      `network ${name}: port 53 is taken by ${describe(holder)}: guests get addresses from us, and ask ${whom} for names (--dns host, upstream or off)`,
    ];
  }
}

/** dnsmasq 2.80 to 2.90: "failed to create listening socket for 10.0.0.1: Address already in use". */
const isPortTaken = (error: unknown): error is QlaunchError =>
  error instanceof QlaunchError &&
  error.code === 'QL_DNSMASQ' &&
  error.why.some((line) => line.includes('in use'));

async function holderOf(
  host: Pick<Host, 'run'>,
  { ips }: DefinedNetwork,
  port: number,
): Promise<Listener | undefined> {
  const all = [...(await listenersOn(host, 'udp', port)), ...(await listenersOn(host, 'tcp', port))];
  return all.find((one) => ips.some(({ address }) => holds(one, formatIp(address))));
}

const describe = ({ address, port, process }: Listener): string =>
  `${process === undefined ? 'another process' : `${process.name} (pid ${process.pid})`} on ${address}:${port}`;

/** The same failure, with whoever has its ports. */
async function withHolder(
  error: unknown,
  host: Pick<Host, 'run'>,
  network: DefinedNetwork,
): Promise<unknown> {
  if (!isPortTaken(error)) return error;
  const found = [await holderOf(host, network, 67), await holderOf(host, network, 53)];
  const who = found.filter((one) => one !== undefined);
  const pids = who.flatMap(({ process }) => process?.pid ?? []);
  return new QlaunchError(error.code, error.exit, {
    what: error.message,
    why: [...error.why, ...who.map((one) => `${describe(one)} is in the way`)],
    todo: [
      ...pids.map((pid) => `ps -fp ${pid}   # what it is; let it listen on its own interfaces only`),
      ...error.todo,
    ],
  });
}

/** Throws QL_NO_NAME_SERVER. */
function serversFor(choice: DnsChoice, { ips }: DefinedNetwork): readonly string[] {
  if (choice === 'off') return [];
  if (choice === 'host')
    return ips.flatMap(({ address }) => (address.family === 4 ? [formatIp(address)] : []));
  const servers = upstreamServers();
  if (servers.length > 0) return servers;
  throw new QlaunchError('QL_NO_NAME_SERVER', EXIT.refused, {
    what: 'this host has no name server that guests could ask',
    why: ['/etc/resolv.conf names none but those on its loopback'],
    todo: ['take --dns host or --dns off'],
  });
}

/** Remembered in the status, for whoever writes the configuration anew. */
async function withoutNames(
  engine: Engine,
  places: NatPlaces,
  name: string,
  servers: readonly string[],
): Promise<void> {
  const paths = places.paths(name);
  const status = readStatuses(places).find((one) => one.name === name);
  const conf = await engine.machine.read(paths.conf);
  if (status === undefined || conf === undefined) throw new Error(`${paths.conf} is gone`);
  await amendNetwork(engine, name, `net start ${name}`, [
    putFile({ path: paths.conf, content: elsewhere(conf, servers) }),
    putFile({ path: paths.status, content: `${JSON.stringify({ ...status, nameServers: servers })}\n` }),
  ]);
}
