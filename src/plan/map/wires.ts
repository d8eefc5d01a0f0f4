/** Which tap is which VM's NIC. By name where QEMU was given one; else by what the process holds, sure things first. */
import type { AddressSource, BoardFacts, BoardLink, BoardVmFact, VmNicFact } from './facts.ts';

export interface GuestEnd {
  readonly vm: string;
  readonly uid: number;
  readonly state: string;
  readonly nic: string;
  readonly mac: string;
  readonly addresses: readonly { readonly address: string; readonly source: AddressSource }[];
}

export interface Wires {
  guestOf(device: string): GuestEnd | undefined;
  deviceOf(vm: BoardVmFact, nic: VmNicFact): string | undefined;
  /** The surest first: a neighbour has been heard from, a lease only been given; IPv4 before IPv6, link-local last. */
  addressesOf(mac: string): GuestEnd['addresses'];
}

/** NICs of other modes have no device on the host. */
const WITH_DEVICE: ReadonlySet<string> = new Set(['tap', 'bridge', 'nat']);

export function wiresOf(facts: BoardFacts): Wires {
  const found = new Map<VmNicFact, string>();
  const taken = new Set<string>();
  const take = (nic: VmNicFact, name: string | undefined): void => {
    if (name === undefined || taken.has(name)) return;
    found.set(nic, name);
    taken.add(name);
  };
  const here = facts.vms.filter(({ elsewhere }) => !elsewhere);
  const open = (vm: BoardVmFact): readonly VmNicFact[] =>
    vm.nics.filter((nic) => WITH_DEVICE.has(nic.mode) && !found.has(nic));
  const isTap = (name: string | undefined): name is string =>
    facts.links.some((link) => link.name === name && (link.kind === 'tun' || link.kind === 'macvtap'));
  for (const vm of here) for (const nic of open(vm)) if (isTap(nic.ifname)) take(nic, nic.ifname);
  for (const vm of here)
    for (const nic of open(vm)) take(nic, learnedOn(nic, candidates(vm, nic, facts), facts));
  // Without a packet from the guest yet: QEMU opens its taps in the order of its NICs.
  for (const vm of here)
    for (const nic of open(vm))
      take(
        nic,
        heldBy(vm, nic, facts).find((name) => !taken.has(name)),
      );
  const ends = new Map<string, GuestEnd>();
  const addressesOf = (mac: string): GuestEnd['addresses'] => addresses(mac, facts.neighbours);
  for (const { name: vm, uid, state, nics } of here)
    for (const nic of nics) {
      const device = found.get(nic);
      if (device === undefined) continue;
      ends.set(device, { vm, uid, state, nic: nic.id, mac: nic.mac, addresses: addressesOf(nic.mac) });
    }
  return {
    guestOf: (device) => ends.get(device),
    deviceOf: (_, nic) => found.get(nic),
    addressesOf,
  };
}

/** Taps that the VM's process holds, on the NIC's bridge when it names one. */
function heldBy(vm: BoardVmFact, nic: VmNicFact, facts: BoardFacts): readonly string[] {
  const holder = facts.holders.find(({ pid }) => pid === vm.pid);
  return (holder?.taps ?? []).filter((name) => fits(linkOf(name, facts), nic));
}

/** Where we may not look into the process: every tap of the bridge. */
function candidates(vm: BoardVmFact, nic: VmNicFact, facts: BoardFacts): readonly string[] {
  const held = heldBy(vm, nic, facts);
  if (held.length > 0) return held;
  return facts.links.filter((link) => link.kind === 'tun' && fits(link, nic)).map(({ name }) => name);
}

const linkOf = (name: string, { links }: BoardFacts): BoardLink | undefined =>
  links.find((link) => link.name === name);

const fits = (link: BoardLink | undefined, { bridge }: VmNicFact): boolean =>
  link !== undefined && (bridge === undefined || link.master === bridge);

function learnedOn(nic: VmNicFact, names: readonly string[], { learned }: BoardFacts): string | undefined {
  return learned.find(({ mac, port }) => mac === nic.mac && names.includes(port))?.port;
}

/** IPv4 first, link-local last. */
export function addresses(mac: string, neighbours: BoardFacts['neighbours']): GuestEnd['addresses'] {
  const byAddress = new Map<string, AddressSource>();
  for (const source of ['neighbour', 'lease'] as const)
    for (const one of neighbours)
      if (one.mac === mac && one.source === source && !byAddress.has(one.address))
        byAddress.set(one.address, source);
  return [...byAddress]
    .map(([address, source]) => ({ address, source }))
    .sort((a, b) => rank(a.address) - rank(b.address));
}

const rank = (address: string): number => (address.startsWith('fe80:') ? 2 : address.includes(':') ? 1 : 0);
