/**
 * Whether a rule of nft speaks of a packet. What is not understood (sets by name, marks, limits) makes the answer
 * `undefined`: nobody knows.
 */
import { contains, parseCidr } from '../../spec/cidr.ts';
import { readIp } from '../../spec/ip.ts';
import { isProblem } from '../../spec/raw.ts';

export interface Packet {
  readonly iif?: string;
  readonly oif?: string;
  readonly proto: 'tcp' | 'udp' | 'icmp' | 'icmpv6';
  /** Of icmpv6, as nft names it. */
  readonly type?: string;
  readonly sport: number;
  readonly dport: number;
  /** Of either family, both of the same. */
  readonly saddr: string;
  readonly daddr: string;
  readonly state: 'new' | 'established';
  /** Its destination was rewritten by a forward. */
  readonly dnat?: true;
}

export const isIPv6 = ({ saddr }: Packet): boolean => saddr.includes(':');

/** What a rule does to a packet that it speaks of; `continue`: it only counts, marks or logs. */
export interface Reading {
  readonly matches: boolean | undefined;
  /** "accept", "drop", "reject", "return", "continue". */
  readonly verdict: string;
  /** The chain that is jumped to; with `verdict` "jump" or "goto". */
  readonly to?: string;
}

type Test = (value: string, packet: Packet) => boolean | undefined;

const TESTS: readonly (readonly [words: string, test: Test])[] = [
  ['iifname', (value, { iif }) => isName(value, iif)],
  ['iif', (value, { iif }) => isName(value, iif)],
  ['oifname', (value, { oif }) => isName(value, oif)],
  ['oif', (value, { oif }) => isName(value, oif)],
  ['meta l4proto', (value, { proto }) => isProto(value, proto)],
  ['ip protocol', (value, packet) => !isIPv6(packet) && isProto(value, packet.proto)],
  ['ip6 nexthdr', (value, packet) => isIPv6(packet) && isProto(value, packet.proto)],
  // As neighbours and routers send it (RFC 4861, 7.1), and nobody behind a router could.
  ['ip6 hoplimit', (value, packet) => isIPv6(packet) && (value === '255' || undefined)],
  ['meta nfproto', (value, packet) => value === (isIPv6(packet) ? 'ipv6' : 'ipv4')],
  ['th dport', (value, { dport, proto }) => !proto.startsWith('icmp') && isPort(value, dport)],
  ['th sport', (value, { sport, proto }) => !proto.startsWith('icmp') && isPort(value, sport)],
  ...(['udp', 'tcp'] as const).flatMap((name): readonly (readonly [string, Test])[] => [
    [`${name} dport`, (value, { dport, proto }) => proto === name && isPort(value, dport)],
    [`${name} sport`, (value, { sport, proto }) => proto === name && isPort(value, sport)],
  ]),
  ['ip saddr', (value, packet) => !isIPv6(packet) && isAddress(value, packet.saddr)],
  ['ip daddr', (value, packet) => !isIPv6(packet) && isAddress(value, packet.daddr)],
  ['ip6 saddr', (value, packet) => isIPv6(packet) && isAddress(value, packet.saddr)],
  ['ip6 daddr', (value, packet) => isIPv6(packet) && isAddress(value, packet.daddr)],
  ['icmpv6 type', (value, { proto, type }) => proto === 'icmpv6' && value === type],
  ['icmp type', (_value, { proto }) => (proto === 'icmp' ? undefined : false)],
  ['fib daddr type', (value, packet) => value === addressType(packet)],
  ['ct state', (value, { state }) => value === state],
  [
    'ct status',
    (value, { dnat, state }) => (value === 'dnat' ? dnat === true && state === 'new' : undefined),
  ],
];

/** Statements that decide nothing, with their arguments. */
const IDLE =
  /^(counter|comment "[^"]*"|log( (prefix "[^"]*"|level \S+|flags \S+|group \S+))*|meta mark set \S+)( |$)/;

const VERDICT = /^(accept|drop|reject|return|queue|(?:jump|goto) (\S+))\b/;

export function readRule(rule: string, packet: Packet): Reading {
  let rest = rule;
  let matches: boolean | undefined = true;
  while (rest !== '') {
    const verdict = VERDICT.exec(rest);
    if (verdict !== null) {
      const [, word = '', to] = verdict;
      return { matches, verdict: word.split(' ')[0] ?? word, ...(to === undefined ? {} : { to }) };
    }
    const idle = IDLE.exec(rest);
    if (idle !== null) {
      rest = rest.slice(idle[0].length).trim();
      continue;
    }
    const step = testOf(rest, packet);
    if (step === undefined)
      return { matches: matches === false ? false : undefined, verdict: lastVerdict(rest) };
    matches = both(matches, step.result);
    rest = step.rest;
  }
  return { matches, verdict: 'continue' };
}

/** Of a rule that is not understood to its end. */
const lastVerdict = (text: string): string => /\b(accept|drop|reject)\b/.exec(text)?.[1] ?? 'continue';

const both = (a: boolean | undefined, b: boolean | undefined): boolean | undefined =>
  a === false || b === false ? false : a === undefined || b === undefined ? undefined : true;

/** Read on at `rest`, which for a verdict map is the verdict that it holds. */
interface Step {
  readonly result: boolean | undefined;
  readonly rest: string;
}

function testOf(text: string, packet: Packet): Step | undefined {
  const found = TESTS.find(([words]) => text.startsWith(`${words} `));
  if (found === undefined) return undefined;
  const [words, test] = found;
  const [, not, map, set, word] =
    /^(!= )?(?:(vmap )?\{ ([^}]*) \}|(\S+))( |$)/.exec(text.slice(words.length + 1)) ?? [];
  const rest = text.slice(words.length + 1).replace(/^(!= )?(vmap )?(\{ [^}]* \}|\S+) ?/, '');
  const values = (set ?? word ?? '').split(/, ?/).map((value) => value.trim().replace(/^"(.*)"$/, '$1'));
  if (map !== undefined) {
    const pairs = values.map((one) => /^"?(.*?)"? : (.*)$/.exec(one));
    const hit = pairs.find((pair) => pair !== null && test(pair[1] ?? '', packet) === true);
    return { result: hit !== undefined, rest: hit?.[2] ?? '' };
  }
  const results = values.map((value) => (value.startsWith('@') ? undefined : test(value, packet)));
  const any = results.includes(true) ? true : results.includes(undefined) ? undefined : false;
  return { result: not === undefined || any === undefined ? any : !any, rest };
}

/** As the routing table knows it: what comes in is for this host, or for all. */
function addressType({ daddr, oif }: Packet): string {
  if (daddr === '255.255.255.255') return 'broadcast';
  if (daddr.startsWith('ff')) return 'multicast';
  return oif === undefined ? 'local' : 'unicast';
}

function isName(value: string, name: string | undefined): boolean {
  if (name === undefined) return false;
  return value.endsWith('*') ? name.startsWith(value.slice(0, -1)) : value === name;
}

const NUMBERS: Readonly<Record<string, string>> = {
  '1': 'icmp',
  '6': 'tcp',
  '17': 'udp',
  '58': 'icmpv6',
  'ipv6-icmp': 'icmpv6',
};
const isProto = (value: string, proto: string): boolean => (NUMBERS[value] ?? value) === proto;

function isPort(value: string, port: number): boolean | undefined {
  const [first, last = first] = value.split('-').map(Number);
  return first === undefined || last === undefined || Number.isNaN(first + last)
    ? undefined
    : port >= first && port <= last;
}

function isAddress(value: string, address: string): boolean | undefined {
  const ip = readIp(address);
  const [from, to] = value.split('-').map(readIp);
  if (ip === undefined) return undefined;
  if (from !== undefined) return ip.value >= from.value && ip.value <= (to ?? from).value;
  const cidr = parseCidr(value, 'nft');
  return isProblem(cidr) ? undefined : contains(cidr, ip);
}
