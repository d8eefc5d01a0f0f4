/**
 * The firewall of one network by iptables, where nft is missing. An accept is the last word in its table there, so unlike
 * nft's it also gets guests past the rules of others in INPUT and FORWARD, which libvirt's does as well.
 */
import { EXIT, QlaunchError } from '../../errors.ts';
import { servesFiles } from '../firewall/flows.ts';
import { installLine } from '../packages.ts';
import type { Step } from '../step.ts';
import {
  again,
  type Family,
  isWhole,
  type OwnChain,
  restoreStep,
  restoreSteps,
  type Saved,
  savedTable,
} from './chains.ts';
import { type DefinedNetwork, isHostBridge } from './defined.ts';
import { type Match, type Rule, rulesOf, type Translate } from './rules.ts';
import { beforeGuard } from './shadowed.ts';

/** The token of the mark: what has it is of this start. */
export const chainPrefix = (mark: string): string => `ql-${mark.slice(-12)}`;

/** One for each table of each family that it has. Throws QL_TOOL_MISSING (exit 4) where it needs what only nft has. */
export function iptablesSteps(network: DefinedNetwork, mark: string, saved: Saved): readonly Step[] {
  return wantedOf(network, mark, saved).flatMap((wanted) => restoreSteps(...wanted));
}

function wantedOf(
  network: DefinedNetwork,
  mark: string,
  saved: Saved,
): readonly Parameters<typeof restoreSteps>[] {
  if (isHostBridge(network)) return [];
  if (network.bandwidth.fromGuests !== undefined)
    throw new QlaunchError('QL_TOOL_MISSING', EXIT.host, {
      what: `the network ${network.name} limits what its guests send, which needs nft, not found on this host`,
      why: ['iptables, which is there, does not count bytes as it is needed', 'nothing was changed'],
      todo: [installLine(['nft']), `sudo qlaunch net edit ${network.name}   # takes bandwidth/outbound out`],
    });
  if (network.forward.mode === 'open') return [];
  const hasIPv6 = network.ips.some(({ address }) => address.family === 6);
  const families: readonly Family[] = hasIPv6 ? [4, 6] : [4];
  const prefix = chainPrefix(mark);
  return families.map((family) => {
    const chains = chainsOf(network, family, saved[family] ?? '', prefix);
    return [`guard and translate the network ${network.name}`, family, prefix, chains, mark];
  });
}

/** For `net check`: what is wrong, and its cure; empty where only root may ask. */
export function chainsRow(
  network: DefinedNetwork,
  saved: Saved,
  mark: string,
): readonly (readonly [id: string, fact: string | undefined, well: string, fix: readonly Step[]])[] {
  const wanted = wantedOf(network, mark, saved);
  if (wanted.length === 0 || saved[4] === undefined) return [];
  const looks = wanted.map(([, family, prefix, own]) => lookAt(own, prefix, saved[family] ?? ''));
  const states = looks.map(({ state }) => state);
  const chains = `its chains ${chainPrefix(mark)}-… of iptables`;
  const fix = wanted.flatMap((one): readonly Step[] => {
    const [, family, prefix] = one;
    // The journal knows what is there, and takes it back.
    return saved[family]?.includes(`${prefix}-`) === true
      ? [{ ...again(restoreStep(...one)), undo: { nothing: 'the journal knows these chains' } }]
      : restoreSteps(...one);
  });
  const others = wanted.flatMap(([, family, prefix]) => beforeGuard(saved[family] ?? '', prefix) ?? []);
  const lost = states.every((state) => state === 'missing')
    ? `${chains} are gone: nothing is translated or guarded`
    : states.some((state) => state !== 'there')
      ? `${chains} are not whole: not all is translated or guarded`
      : `${chains} guard nothing: rules of others stand before them ("${others[0]}")`;
  const isWell = states.every((state) => state === 'there') && others.length === 0;
  const open = [...new Set(looks.flatMap(({ reachable }) => reachable))].join(', ');
  const containers = `guests reach what containers of ${open} do not publish: Docker made that after the network was started`;
  return [
    ['net-table', isWell ? undefined : lost, `${chains} are there`, fix],
    // Mended with the others, where they are not whole.
    ...(open === '' ? [] : [['net-containers', containers, '', isWell ? fix : []] as const]),
  ];
}

/** Docker makes and deletes its networks when it likes, so what `pass` says of them is counted apart. */
function lookAt(
  own: readonly OwnChain[],
  prefix: string,
  saved: string,
): { readonly state: ReturnType<typeof isWhole>; readonly reachable: readonly string[] } {
  const start = `-A ${prefix}-pass `;
  const isContainers = (line: string): boolean => line.startsWith(start) && line.endsWith(' -j RETURN');
  const lines = saved.split('\n');
  const counted = own.map(({ rules, ...chain }) => ({
    ...chain,
    rules: rules.filter((rule) => !isContainers(`-A ${prefix}-${chain.name} ${rule}`)),
  }));
  const rules = own.flatMap((chain) => chain.rules.map((rule) => `-A ${prefix}-${chain.name} ${rule}`));
  const missing = rules.filter((rule) => isContainers(rule) && !lines.includes(rule));
  return {
    state: isWhole(counted, prefix, lines.filter((line) => !isContainers(line)).join('\n')),
    reachable: missing.flatMap((rule) => / -o (\S+) /.exec(rule)?.[1] ?? []),
  };
}

/**
 * In FORWARD a network's `guard` only refuses, and what none of them has refused, some `pass` accepts: what goes from one
 * network to another is asked of both. So all of the first stand before all of the second.
 * @returns where a new `pass` belongs, once a new `guard` is the first rule
 */
function passAt(saved: string, prefix: string): number {
  const rules = savedTable(saved, 'filter')
    .split('\n')
    .filter((line) => line.startsWith('-A FORWARD '));
  const others = rules.filter((line) => !line.includes(` ${prefix}-`));
  return others.findLastIndex((line) => / -j ql-[0-9a-f]{12}-guard$/.test(line)) + 3;
}

/** Docker's own rules go on deciding who reaches containers: ports that are published (`-A FORWARD -o docker0 -j DOCKER`). */
const dockerBridges = (saved: string): readonly string[] => [
  ...new Set(
    [...savedTable(saved, 'filter').matchAll(/^-A \S+ -o (\S+) -j DOCKER$/gm)].map(([, name = '']) => name),
  ),
];

function chainsOf(
  network: DefinedNetwork,
  family: Family,
  saved: string,
  prefix: string,
): readonly OwnChain[] {
  const { guard, forward, mss, postrouting } = rulesOf(network);
  const { name } = network.bridge;
  const told = (rules: readonly Rule[]): readonly string[] =>
    rules.filter((rule) => isOf(family, rule)).map((rule) => say(rule));
  const containers = dockerBridges(saved).map((docker) => `-i ${name} -o ${docker} -j RETURN`);
  const pass = [...containers, `-i ${name} -j ACCEPT`, `-o ${name} -j ACCEPT`];
  return [
    { table: 'raw', name: 'loop', hook: 'PREROUTING', at: 1, rules: told(guard) },
    { table: 'mangle', name: 'mss', hook: 'FORWARD', at: 1, rules: told(mss) },
    { table: 'filter', name: 'guard', hook: 'FORWARD', at: 1, rules: told(forward) },
    { table: 'filter', name: 'pass', hook: 'FORWARD', at: passAt(saved, prefix), rules: pass },
    { table: 'filter', name: 'in', hook: 'INPUT', at: 1, rules: asked(network, family) },
    { table: 'filter', name: 'out', hook: 'OUTPUT', at: 1, rules: answered(network, family) },
    { table: 'nat', name: 'nat', hook: 'POSTROUTING', at: 1, rules: told(postrouting) },
  ];
}

/** RFC 4861: what routers and neighbours ask (133, 135), and what they answer (134, 136). */
const NEIGHBOURS = { in: [133, 135, 136], out: [134, 135, 136] } as const;

const icmp6 = (side: 'in' | 'out', dev: string): readonly string[] =>
  NEIGHBOURS[side].map((type) => `${dev} -p ipv6-icmp --icmpv6-type ${type} -j ACCEPT`);

const gives = ({ ips }: DefinedNetwork, family: Family): boolean =>
  ips.some(({ address, dhcp }) => address.family === family && dhcp !== undefined);

/** What guests ask of this host; all else its own rules decide. */
function asked(network: DefinedNetwork, family: Family): readonly string[] {
  const dev = `-i ${network.bridge.name}`;
  const ports: readonly [wanted: boolean, proto: 'tcp' | 'udp', port: number][] = [
    [gives(network, family), 'udp', family === 4 ? 67 : 547],
    [network.dns, 'udp', 53],
    [network.dns, 'tcp', 53],
    [servesFiles(network), 'udp', 69],
  ];
  return [
    ...ports.flatMap(([wanted, proto, port]) =>
      wanted ? [`${dev} -p ${proto} --dport ${port} -j ACCEPT`] : [],
    ),
    ...(family === 6 ? icmp6('in', dev) : []),
  ];
}

function answered(network: DefinedNetwork, family: Family): readonly string[] {
  const dev = `-o ${network.bridge.name}`;
  return [
    `${dev} ${STATES.answers} -j ACCEPT`,
    ...(gives(network, family) ? [`${dev} -p udp --dport ${family === 4 ? 68 : 546} -j ACCEPT`] : []),
    ...(family === 6 ? icmp6('out', dev) : []),
  ];
}

const ADDRESSES = new Set<Match[0]>(['from', 'to', 'not to']);

const isOf = (family: Family, { match, verdict }: Rule): boolean =>
  typeof verdict === 'object'
    ? verdict.family === family
    : match.every(([what, value = '']) => !ADDRESSES.has(what) || value.includes(':') === (family === 6));

const STATES = {
  answers: '-m conntrack --ctstate ESTABLISHED,RELATED',
  forwarded: '-m conntrack --ctstate DNAT',
  syn: '-p tcp --tcp-flags SYN,RST SYN',
} as const;

/** `accept` is to go on to the next network's guard. */
const VERDICTS = {
  accept: 'RETURN',
  drop: 'DROP',
  reject: 'REJECT',
  return: 'RETURN',
  clamp: 'TCPMSS --clamp-mss-to-pmtu',
} as const;

function say({ match, verdict }: Rule): string {
  const what = typeof verdict === 'object' ? translate(verdict) : VERDICTS[verdict];
  return [...match.map(matched), '-j', what].join(' ');
}

function matched([what, value = '']: Match): string {
  const words = {
    ...STATES,
    in: `-i ${value}`,
    out: `-o ${value}`,
    from: `-s ${value}`,
    to: `-d ${value}`,
    'not to': `! -d ${value}`,
    proto: `-p ${value}`,
  };
  return words[what];
}

function translate({ family, to, ports }: Translate): string {
  if (to === undefined) return ports === undefined ? 'MASQUERADE' : `MASQUERADE --to-ports ${ports}`;
  if (ports === undefined) return `SNAT --to-source ${to.start}-${to.end}`;
  const range = family === 6 ? `[${to.start}]-[${to.end}]` : `${to.start}-${to.end}`;
  return `SNAT --to-source ${range}:${ports}`;
}
