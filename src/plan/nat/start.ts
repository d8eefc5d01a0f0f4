/** A network is started: as libvirt does it (nat-network.md 4.2), firewall before addresses. */
import { EXIT, QlaunchError } from '../../errors.ts';
import { type Cidr, formatCidr } from '../../spec/cidr.ts';
import { formatIp } from '../../spec/ip.ts';
import type { NetworkIp } from '../../spec/nat/network.ts';
import type { Portgroup } from '../../spec/nat/portgroup.ts';
import { planBridge } from '../bridge.ts';
import { type HostFacts, type LinkFact, linkNamed } from '../facts.ts';
import { putFile } from '../files.ts';
import { peaceSteps } from '../firewall/peace.ts';
import type { Lifetime } from '../lifetime.ts';
import { ownerMark } from '../owner.ts';
import { type Argv, type BatchLine, DEADLINE_MS, type FilePath, type Plan, type Step } from '../step.ts';
import { IPV4_FORWARD, shareAttribute } from '../sysctl.ts';
import { shapeSteps } from './bandwidth.ts';
import { checksumSteps } from './checksum.ts';
import { type DefinedNetwork, isHostBridge } from './defined.ts';
import { type DnsmasqPaths, dnsmasqConf, needsDnsmasq, stopDnsmasqArgv } from './dnsmasq.ts';
import { freeSubnet, type NatFacts, renderRoute, routeInTheWay } from './facts.ts';
import { iptablesSteps } from './iptables.ts';
import { bridgeIPv6, onThisHost, routeIPv6, uniqueLocal } from './ipv6.ts';
import { setLocalnet } from './localnet.ts';
import type { DnsChoice } from './name-server.ts';
import { checkZone, registerSteps } from './neighbours.ts';
import { firewallStep } from './nft.ts';

/** The kernel's own MTU for a bridge without ports. */
const ETHERNET_MTU = 1500;

export interface NatPaths extends DnsmasqPaths {
  /** What runs, for other commands. */
  readonly status: FilePath;
  /** Of conf, pid and status; it is there before. */
  readonly dir: FilePath;
}

/** What other commands know of a network that runs, without reading its XML. */
export interface NatStatus {
  readonly v: 1;
  readonly name: string;
  readonly bridge: string;
  readonly mode: string;
  /** "192.168.122.1/24" */
  readonly addresses: readonly string[];
  readonly dnsmasq: boolean;
  /** Its ports do not reach each other. */
  readonly isolated?: true;
  readonly portgroups?: readonly Portgroup[];
  /** Of its first IPv4 address with DHCP. */
  readonly dhcp?: NatDhcp;
  /** Whom guests ask for names where port 53 is somebody else's. */
  readonly nameServers?: readonly string[];
  readonly as?: StartedAs;
}

/** What was asked for beside the definition: the next start is to be the same. */
export interface StartedAs {
  readonly dns?: DnsChoice;
  /** Users and groups. */
  readonly allow?: readonly string[];
}

const statusStep = (network: DefinedNetwork, { status }: NatPaths, as: StartedAs): Step => {
  const how = as.dns === undefined && as.allow === undefined ? {} : { as };
  return putFile({ path: status, content: `${JSON.stringify({ ...statusOf(network), ...how })}\n` });
};

export interface NatDhcp {
  /** "192.168.122.0/24" */
  readonly subnet: string;
  readonly gateway: string;
  readonly ranges: readonly { readonly start: string; readonly end: string }[];
  /** What the definition gives to whom. */
  readonly hosts: readonly { readonly mac: string; readonly ip: string }[];
}

/** Errors: QL_SUBNET_TAKEN, QL_LINK_EXISTS, QL_NET_IPV6, QL_NET_ZONE, QL_NET_NO_BRIDGE (exit 3). Without dnsmasq itself, which outlives the command. */
export function planNetwork(
  given: DefinedNetwork,
  paths: NatPaths,
  facts: NatFacts,
  as: StartedAs = {},
): Plan<HostFacts> {
  if (isHostBridge(given)) return planHostBridge(given, paths, facts, as);
  const { network } = onThisHost(given, facts);
  const { name, bridge, mac, mtu, forward } = network;
  for (const subnet of [...network.ips.map((ip) => ip.subnet), ...network.routes.map((route) => route.to)])
    refuseTaken(name, subnet, facts);
  checkZone(network, facts);
  const lifetime: Lifetime = { net: name };
  const mark = ownerMark(lifetime, facts.token);
  // Also where nobody asked for one: it must not become that of the smallest tap.
  const [stp, delayS] = [bridge.stp, bridge.delay];
  const address = mac === undefined ? {} : { mac };
  const wish = {
    name: bridge.name,
    lifetime,
    stp,
    delayS,
    mtu: mtu ?? ETHERNET_MTU,
    up: false,
    vlanAware: hasVlans(network),
    ...address,
  };
  const { steps } = planBridge(wish, facts);
  const owns = { link: bridge.name, ...address, alias: mark };
  return {
    steps: [
      ...steps,
      ...(facts.ipv6 ? bridgeIPv6(network) : []),
      ...firewallSteps(network, mark, facts),
      ...(facts.firewall === undefined ? [] : peaceSteps(network, facts.firewall, mark)),
      ...shapeSteps(network),
      ...checksumSteps(network, facts.checksum, mark),
      addressStep(network),
      ...routeIPv4(network),
      ...routeIPv6(network, facts),
      ...(forward.mode === 'nat' && routeIPv4(network).length > 0
        ? [setLocalnet(bridge.name, facts.loopback?.includes(bridge.name) === true)]
        : []),
      ...(needsDnsmasq(network)
        ? [
            putFile({ path: paths.conf, content: dnsmasqConf(network, paths, facts.resolvConf) }),
            {
              title: `let dnsmasq check ${paths.conf}`,
              do: { run: ['dnsmasq', '--test', `--conf-file=${paths.conf}`] as const },
              undo: { run: stopDnsmasqArgv(paths), gone: [] },
              owns,
              deadlineMs: DEADLINE_MS,
            },
          ]
        : []),
      ...registerSteps(network, facts),
      statusStep(network, paths, as),
    ],
  };
}

/** Its bridge, as it will be there. */
export const bridgeToBe = ({ bridge, mac, mtu, portgroups }: DefinedNetwork): LinkFact => ({
  ifindex: 0,
  ifname: bridge.name,
  ...(mac === undefined ? {} : { address: mac }),
  mtu: mtu ?? ETHERNET_MTU,
  flags: ['UP'],
  link_type: 'ether',
  kind: 'bridge',
  addresses: [],
  bridge: { vlanFiltering: hasVlans({ portgroups }), defaultPvid: 1, stp: bridge.stp, forwardDelayMs: 0 },
});

function firewallSteps(
  network: DefinedNetwork,
  mark: string,
  { iptables }: Pick<NatFacts, 'iptables'>,
): readonly Step[] {
  if (iptables !== undefined) return iptablesSteps(network, mark, iptables);
  const step = firewallStep(network, mark);
  return step === undefined ? [] : [step];
}

/** Others only have to know of it. */
function planHostBridge(
  network: DefinedNetwork,
  paths: NatPaths,
  facts: NatFacts,
  as: StartedAs,
): Plan<HostFacts> {
  const { name, bridge } = network;
  const kind = linkNamed(facts, bridge.name)?.kind;
  if (kind === 'bridge') return { steps: [statusStep(network, paths, as)] };
  throw new QlaunchError('QL_NET_NO_BRIDGE', EXIT.refused, {
    what: `the network ${name} is the bridge ${bridge.name}, which this host does not have`,
    why: [kind === undefined ? `there is no bridge ${bridge.name}` : `${bridge.name} is a ${kind}`],
    todo: ['ip -br link show type bridge', `sudo qlaunch bridge create ${bridge.name}`],
  });
}

export function statusOf(network: DefinedNetwork): NatStatus {
  const dhcp = network.ips.map(dhcpOf).find((one) => one !== undefined);
  return {
    v: 1,
    name: network.name,
    bridge: network.bridge.name,
    mode: network.forward.mode,
    addresses: network.ips.map(({ address, subnet }) => `${formatIp(address)}/${subnet.prefix}`),
    dnsmasq: needsDnsmasq(network),
    ...(network.isolated ? { isolated: true } : {}),
    ...(network.portgroups.length === 0 ? {} : { portgroups: network.portgroups }),
    ...(dhcp === undefined ? {} : { dhcp }),
  };
}

function dhcpOf({ address, subnet, dhcp }: NetworkIp): NatDhcp | undefined {
  if (dhcp === undefined || address.family === 6) return undefined;
  return {
    subnet: formatCidr(subnet),
    gateway: formatIp(address),
    ranges: dhcp.ranges.map(({ start, end }) => ({ start: formatIp(start), end: formatIp(end) })),
    hosts: dhcp.hosts.flatMap(({ mac, ip }) =>
      mac === undefined || ip === undefined ? [] : [{ mac, ip: formatIp(ip) }],
    ),
  };
}

function refuseTaken(name: string, subnet: Cidr, facts: NatFacts): void {
  const taken = routeInTheWay(subnet, facts);
  if (taken === undefined) return;
  const free = subnet.first.family === 4 ? freeSubnet(facts) : uniqueLocal(name, facts);
  throw new QlaunchError('QL_SUBNET_TAKEN', EXIT.refused, {
    what: `the network ${name} can not have ${formatCidr(subnet)}`,
    why: [`this host reaches ${renderRoute(taken)} elsewhere`],
    todo: [
      `qlaunch net dumpxml ${name} > ${name}.xml; write ${free === undefined ? 'a free subnet' : formatCidr(free)} there; sudo qlaunch net define ${name}.xml`,
    ],
  });
}

/** Then the bridge keeps them apart; its own address is in none of them. */
const hasVlans = ({ portgroups }: Pick<DefinedNetwork, 'portgroups'>): boolean =>
  portgroups.some(({ vlan, trunk }) => vlan !== undefined || trunk !== undefined);

export const routeIPv4 = ({ forward, ips }: DefinedNetwork): readonly Step[] =>
  forward.mode !== 'none' && ips.some(({ address }) => address.family === 4)
    ? [shareAttribute(IPV4_FORWARD, '1', 'let the host route IPv4')]
    : [];

export function addressStep({
  bridge,
  ips,
  routes,
}: Pick<DefinedNetwork, 'bridge' | 'ips' | 'routes'>): Step {
  const undo = { nothing: `goes away with ${bridge.name}` };
  const lines: readonly BatchLine[] = [
    ...ips.map(({ address, subnet }): BatchLine => {
      const text = `${formatIp(address)}/${subnet.prefix}`;
      const broadcast = address.family === 4 ? ['broadcast', '+'] : [];
      const words: Argv = ['address', 'add', text, ...broadcast, 'dev', bridge.name];
      return { title: `give ${bridge.name} the address ${text}`, words, undo };
    }),
    { title: `bring ${bridge.name} up`, words: ['link', 'set', 'dev', bridge.name, 'up'], undo },
    ...routes.map(({ to, via, metric }): BatchLine => {
      const words = ['route', 'replace', formatCidr(to), 'via', formatIp(via), 'dev', bridge.name] as const;
      const last = metric === undefined ? [] : ['metric', `${metric}`];
      const title = `reach ${formatCidr(to)} by ${formatIp(via)}`;
      return { title, words: [...words, ...last], undo };
    }),
  ];
  return {
    title: `give ${bridge.name} its addresses and bring it up`,
    do: { batch: 'ip', lines },
    undo: { eachLine: true },
    deadlineMs: DEADLINE_MS,
  };
}
