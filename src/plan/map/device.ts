/** One device of the host as the map shows it. */
import { defined } from './defined.ts';
import type { BoardFacts, BoardLink, Counters } from './facts.ts';
import { stackOf } from './stack.ts';
import type { GuestEnd, Wires } from './wires.ts';

export interface Device {
  readonly name: string;
  /** "NIC", "bridge", "tap", "veth", "macvlan bridge", "VLAN 10", "vxlan 5", … */
  readonly what: string;
  /** "up", "down", "no carrier", or a bridge port's state when it is not forwarding ("blocking", "learning", …). */
  readonly state: string;
  readonly mac?: string;
  readonly mtu: number;
  readonly bus?: string;
  readonly alias?: string;
  readonly master?: string;
  readonly peer?: string;
  /** Its other end is in another network namespace. */
  readonly elsewhere: boolean;
  /** From the bottom up, the device itself last; only when it is stacked on something. */
  readonly stack?: readonly (readonly StackPart[])[];
  readonly defaultRoute: boolean;
  /** With their prefix length; link-local ones left out. */
  readonly addresses: readonly string[];
  readonly isolated: boolean;
  readonly vlans: readonly string[];
  /** A persistent tap's. */
  readonly owner?: string;
  readonly guest?: GuestEnd;
  /** A process that is no VM of ours. */
  readonly holder?: { readonly pid: number; readonly program: string; readonly guest?: string };
  /** `in` is what came into the host, or into the bridge, by this device. */
  readonly counters: { readonly in: Counters; readonly out: Counters };
  readonly rates?: Rates;
  /** What is stacked on it, and a bond's members. */
  readonly on: readonly Device[];
}

interface StackPart {
  readonly name: string;
  /** As in Device. */
  readonly state: string;
}

export interface Rates {
  readonly inBitsPerSecond: number;
  readonly outBitsPerSecond: number;
}

export function deviceOf(link: BoardLink, facts: BoardFacts, wires: Wires, before?: BoardFacts): Device {
  return build(link, { facts, wires, before }, new Set());
}

interface Look {
  readonly facts: BoardFacts;
  readonly wires: Wires;
  readonly before: BoardFacts | undefined;
}

/** `path`: what it is already inside of; the kernel has no loops, but names change between two questions. */
function build(link: BoardLink, look: Look, path: ReadonlySet<string>): Device {
  const { facts, wires, before } = look;
  const { name, mac, mtu, bus, alias, master, peer, elsewhere, isolated, vlans, owner } = link;
  const guest = wires.guestOf(name);
  const holder = guest === undefined ? facts.holders.find(({ taps }) => taps.includes(name)) : undefined;
  const { levels } = stackOf(link, facts.links);
  const rates = before === undefined ? undefined : ratesOf(link, facts, before);
  const inside = new Set([...path, name]);
  const part = (one: string): StackPart => {
    const found = facts.links.find((other) => other.name === one);
    return { name: one, state: found === undefined ? 'gone' : stateOf(found) };
  };
  const upper = facts.links.filter(
    (other) =>
      !inside.has(other.name) && (other.lower === name || (other.master === name && link.kind !== 'bridge')),
  );
  return {
    name,
    what: whatOf(link),
    state: stateOf(link),
    mtu,
    elsewhere,
    defaultRoute: facts.defaultDevices.includes(name),
    addresses: link.addresses.filter(({ linkLocal }) => !linkLocal).map(({ cidr }) => cidr),
    isolated,
    vlans,
    counters: { in: link.received, out: link.sent },
    ...(levels.length > 1 ? { stack: levels.map((level) => level.map(part)) } : {}),
    ...(holder === undefined ? {} : { holder: withoutTaps(holder) }),
    ...defined({ mac, bus, alias, master, peer, owner, guest, rates }),
    on: link.kind === 'bridge' ? [] : upper.map((other) => build(other, look, inside)),
  };
}

function withoutTaps({ pid, program, guest }: BoardFacts['holders'][number]): NonNullable<Device['holder']> {
  return { pid, program, ...(guest === undefined ? {} : { guest }) };
}

function whatOf({ kind, detail, ethernet }: BoardLink): string {
  return detail ?? kind ?? (ethernet ? 'NIC' : 'device');
}

function stateOf({ up, carrier, portState }: BoardLink): string {
  if (!up) return 'down';
  if (!carrier) return 'no carrier';
  return portState === undefined || portState === 'forwarding' ? 'up' : portState;
}

/** undefined: it is new, or its counters began anew. */
function ratesOf(link: BoardLink, now: BoardFacts, before: BoardFacts): Rates | undefined {
  const was = before.links.find(({ ifindex, name }) => ifindex === link.ifindex && name === link.name);
  const seconds = (now.atMs - before.atMs) / 1000;
  if (was === undefined || seconds <= 0) return undefined;
  const [into, out] = [link.received.bytes - was.received.bytes, link.sent.bytes - was.sent.bytes];
  if (into < 0 || out < 0) return undefined;
  return {
    inBitsPerSecond: Math.round((into * 8) / seconds),
    outBitsPerSecond: Math.round((out * 8) / seconds),
  };
}
