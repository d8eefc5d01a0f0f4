/** Who may talk to whom: every way between guests, host and internet is tried with ICMP, TCP and UDP. */
import { type Agent, type DhcpAnswer, type Probe, UPLINK, type Verdict, WEB } from './host.ts';
import { COLUMNS, type Column, NETWORKS, type Network, RESERVED } from './networks.ts';
import type { Side } from './sides.ts';
import type { Ways } from './table.ts';

type Family = 4 | 6;
const FAMILIES = [4, 6] as const;
const PORTS = [22, 53, 67, 80] as const;
/** Where nobody listens: the refusal that comes back belongs to what was sent. */
const CLOSED = 9;

interface Guest {
  readonly agent: Agent;
  readonly mac: string;
  readonly address: { readonly 4: string; readonly 6?: string };
  /** Addresses of no network. */
  readonly strange: { readonly 4: string; readonly 6: string };
  /** undefined: it did not ask. */
  readonly lease: DhcpAnswer | undefined;
}

export interface World {
  readonly side: Side;
  readonly guests: Readonly<Record<Column, readonly [Guest, Guest]>>;
  readonly web: Agent;
  readonly host: Agent;
}

/** Every network with two guests, each with what DHCP gave it, and what makes the answers. */
export async function furnish(side: Side): Promise<World> {
  for (const column of COLUMNS) await side.start(NETWORKS[column]);
  const { host } = side;
  await host.run(`ip netns exec web dnsmasq --conf-file=/dev/null --pid-file=/run/web.pid --no-resolv --no-hosts --port=53 \\
      --listen-address=${WEB[4]} --bind-interfaces --user=root --address=/www.test/${WEB[4]} --local=/test/ --domain-needed
    ip -n router route add 192.168.122.0/24 via ${UPLINK[4]}
    ip -n router route add 10.98.0.0/16 via ${UPLINK[4]}
    ip -n router route add fd98::/16 via ${UPLINK[6]}`);
  const pairs = COLUMNS.map(async (column, n) => {
    const both = [0, 1].map((m) => plug(side, NETWORKS[column], n, m));
    return [column, await Promise.all(both)] as const;
  });
  const guests = Object.fromEntries(await Promise.all(pairs)) as unknown as World['guests'];
  const web = await host.agent('web');
  await web.listen([WEB[4], WEB[6]], [22, 67, 80]);
  await web.listen([WEB[6]], [53]);
  const itself = await host.agent();
  const gateways = COLUMNS.flatMap((column) => Object.values(NETWORKS[column].gateway));
  await itself.listen([...gateways, UPLINK[4], UPLINK[6]], [22, 80]);
  return { side, guests, web, host: itself };
}

/** dnsmasq looks three seconds whether somebody has an address: the second guest takes one by itself. */
async function plug({ host }: Side, network: Network, n: number, m: number): Promise<Guest> {
  const name = `g${n}${m}`;
  const mac = `52:54:00:98:0${n}:0${m}`;
  const agent = await host.plug(name, network.bridge, mac);
  const { 4: gateway, 6: gateway6 } = network.gateway;
  const lease = m === 0 || mac === RESERVED ? await agent.dhcp({ mac, hostname: name }) : undefined;
  if (m === 0 && lease?.type !== 5) throw new Error(`${name} gets no address on ${network.name}`);
  const own = lease?.address ?? gateway.replace(/1$/, '11');
  const own6 = gateway6?.replace(/::1$/, `::1${m}`);
  const strange = { 4: `10.66.${n}.9`, 6: `fd66:${n}::9` };
  // An isolated network names no router; a guest may try all the same.
  const lines = [
    ...[`address add ${own}/24 dev eth0`, `address add ${strange[4]}/32 dev eth0`],
    `route add default via ${gateway} src ${own}`,
    ...(own6 === undefined
      ? []
      : [`address add ${strange[6]}/128 dev eth0 nodad`, `address add ${own6}/64 dev eth0 nodad`]),
    ...(own6 === undefined ? [] : [`route add default via ${gateway6} src ${own6} metric 64`]),
  ];
  await host.run(`printf '%s\\n' ${lines.map((line) => `'${line}'`).join(' ')} | ip -n ${name} -batch -`);
  const address = { 4: own, ...(own6 === undefined ? {} : { 6: own6 }) };
  await agent.listen(Object.values(address), PORTS);
  return { agent, mac, address, strange, lease };
}

/** By what is tried; in the order of COLUMNS, by the network of the guest that it is about. */
export async function measureWays(world: World): Promise<Ways> {
  const { guests, web, host } = world;
  const rows = new Map<string, (column: Column) => Promise<string>>();
  for (const from of COLUMNS)
    rows.set(`guest of ${from} → guest`, (column) =>
      bothWays(guests[from][0].agent, guests[column][1].address, PORTS),
    );
  rows.set('internet → guest', (column) => bothWays(web, guests[column][0].address, PORTS));
  rows.set('this host → guest', (column) => bothWays(host, guests[column][0].address, PORTS));
  rows.set('guest → internet', (column) => bothWays(guests[column][0].agent, WEB, PORTS));
  rows.set('guest → its gateway', (column) =>
    bothWays(guests[column][0].agent, NETWORKS[column].gateway, [22, 53, 80]),
  );
  rows.set('guest → another address of this host', (column) =>
    bothWays(guests[column][0].agent, UPLINK, [22, 80]),
  );
  rows.set('internet → name server of the network', (column) =>
    perFamily(async (family) => {
      const to = NETWORKS[column].gateway[family];
      if (to === undefined) return undefined;
      const dns = (['tcp', 'udp'] as const).map((kind) => ({ kind, to, port: 53 }));
      const answers = await web.probe(dns);
      return answers.some(({ is }) => is === 'yes') ? sumUp(answers, dns) : 'no answer';
    }),
  );
  rows.set('guest → internet, from an address that is not of its network', (column) =>
    perFamily(async (family) => {
      const { agent, address, strange } = guests[column][0];
      if (address[family] === undefined) return undefined;
      // No answer finds its way back.
      await agent.probe([{ kind: 'udp', to: WEB[family], port: 80, from: strange[family] }]);
      return (await web.heard()).includes(strange[family]) ? 'arrives' : 'stays here';
    }),
  );
  rows.set('guest → internet is seen there as', (column) =>
    perFamily(async (family) => {
      const { agent, address } = guests[column][0];
      if (address[family] === undefined) return undefined;
      const to = WEB[family];
      const seen = await agent.probe([
        { kind: 'tcp', to, port: 80, fromPort: 999 },
        { kind: 'udp', to, port: 80, fromPort: 999 },
      ]);
      return [...new Set(seen.map((one) => seenAs(one, address[family])))].join(' or ');
    }),
  );
  const measured = [...rows].map(async ([row, measure]) => {
    return [row, await Promise.all(COLUMNS.map(measure))] as const;
  });
  return Object.fromEntries(await Promise.all(measured));
}

function seenAs({ is, as, port = 0 }: Verdict, own: string | undefined): string {
  if (is !== 'yes') return 'nobody';
  const who = as === own ? 'itself' : as === UPLINK[4] || as === UPLINK[6] ? 'this host' : `${as}`;
  return `${who}, port ${port >= 1024 ? '≥ 1024' : port}`;
}

/** One value where both families agree. */
async function perFamily(measure: (family: Family) => Promise<string | undefined>): Promise<string> {
  const found = await Promise.all(FAMILIES.map(measure));
  const said = FAMILIES.flatMap((family, n) => (found[n] === undefined ? [] : [[family, found[n]] as const]));
  const values = [...new Set(said.map(([, value]) => value))];
  if (values.length === 1) return values[0] ?? '';
  return said.map(([family, value]) => `IPv${family}: ${value}`).join('; ');
}

const bothWays = (
  agent: Agent,
  address: { readonly 4: string; readonly 6?: string },
  ports: readonly number[],
): Promise<string> =>
  perFamily(async (family) => {
    const to = address[family];
    if (to === undefined) return undefined;
    const open = probesOf(to, ports);
    const verdicts = await agent.probe([
      ...open,
      { kind: 'tcp', to, port: CLOSED },
      { kind: 'udp', to, port: CLOSED },
    ]);
    const [tcp, udp] = verdicts.slice(open.length);
    const said = sumUp(verdicts.slice(0, open.length), open);
    // A refusal comes back from where nobody listens, as it does from where nobody gets.
    const closed = [...new Set([tcp?.is, udp?.is])].join(', ');
    return closed === 'refused' || closed === said ? said : `${said} (closed: ${closed})`;
  });

const probesOf = (to: string, ports: readonly number[]): readonly Probe[] => [
  { kind: 'icmp', to },
  ...(['tcp', 'udp'] as const).flatMap((kind) => ports.map((port) => ({ kind, to, port }))),
];

/** One word where all got the same. */
function sumUp(verdicts: readonly Verdict[], probes: readonly Probe[] = []): string {
  const words = [...new Set(verdicts.map(({ is }) => is))];
  if (words.length === 1) return words[0] ?? '';
  const what = (n: number): string => `${probes[n]?.kind ?? n} ${probes[n]?.port ?? ''}`.trim();
  return words
    .map((word) => `${word}: ${verdicts.flatMap(({ is }, n) => (is === word ? what(n) : [])).join(', ')}`)
    .join('; ');
}
