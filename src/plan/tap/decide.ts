/** Which taps a VM opens: those that are there, and those that have to be made for it. */
import type { TapNet } from '../../spec/net-spec.ts';
import type { PortSpec } from '../../spec/port.ts';
import type { VmSpec } from '../../spec/vm-spec.ts';
import { type HostFacts, type LinkFact, linkNamed } from '../facts.ts';
import type { Lifetime } from '../lifetime.ts';
import { isMarkOf } from '../owner.ts';
import { shellLine, shellWord } from '../shell.ts';
import type { TapWish } from './managed.ts';
import { tapName } from './name.ts';

export interface TapUser {
  readonly uid: number;
  readonly name: string;
}

/** In the shape of an error. */
interface TapProblem {
  readonly code: string;
  readonly what: string;
  readonly why: readonly string[];
  readonly todo: readonly string[];
}

export interface TapChoice {
  /** By NIC id: the tap that QEMU opens. */
  readonly names: Readonly<Record<string, string>>;
  readonly make: readonly TapWish[];
  readonly problems: readonly TapProblem[];
  readonly notes: readonly string[];
}

/** A tap whose script or descriptor the user gives is the user's own affair. */
export function isOurs(net: VmSpec['nets'][number]): net is TapNet {
  return net.mode === 'tap' && net.fd === undefined && net.script === undefined;
}

/**
 * A tap that is there is opened as it is, and never changed. A leftover of this very VM (`lifetime`) counts as not
 * there: it is taken back before the start.
 */
export function chooseTaps(
  spec: VmSpec,
  user: TapUser,
  lifetime: Lifetime,
  facts: HostFacts,
  macs: Readonly<Record<string, string>> = {},
): TapChoice {
  const names: Record<string, string> = {};
  const make: TapWish[] = [];
  const problems: TapProblem[] = [];
  const notes: string[] = [];
  const there = (name: string): LinkFact | undefined => {
    const link = linkNamed(facts, name);
    return link === undefined || isMarkOf(link.ifalias, lifetime) ? undefined : link;
  };
  for (const [index, net] of spec.nets.entries()) {
    if (!isOurs(net)) continue;
    const vm = 'vm' in lifetime ? lifetime.vm : spec.name;
    const name = net.ifname ?? tapName(vm, index, (wanted) => there(wanted) !== undefined);
    if (Object.values(names).includes(name))
      problems.push({
        code: 'QL_TAP',
        what: `${net.at}: the tap ${name} is another NIC’s already`,
        why: ['one NIC opens one tap'],
        todo: ['give each its own name, or leave the names out'],
      });
    names[net.id] = name;
    const link = there(name);
    if (link !== undefined) {
      problems.push(...prepared(net, link, user));
      if (link.tun?.type === 'tap' && link.tun.user === undefined && link.tun.group === undefined)
        notes.push(`${net.at}: the tap ${name} belongs to nobody, so every user may open it`);
    } else {
      const bridge = net.bridge === undefined ? undefined : linkNamed(facts, net.bridge);
      if (net.bridge !== undefined) problems.push(...unfit(net, net.bridge, bridge, facts));
      else notes.push(`${net.at}: the tap ${name} is in no bridge; tap,bridge=BR makes it a port of one`);
      make.push({
        name,
        uid: user.uid,
        queues: net.queues,
        ...(net.bridge === undefined ? {} : { bridge: net.bridge }),
        ...(net.mtu === undefined ? {} : { mtu: net.mtu }),
        ...portOf(net),
        ...(macs[net.id] === undefined ? {} : { guestMac: macs[net.id] }),
      });
    }
  }
  return { names, make, problems, notes };
}

function portOf({ isolated, vlan, trunk, rate, antispoof }: TapNet): PortSpec {
  const all = { isolated, vlan, trunk, rate, antispoof };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as PortSpec;
}

/** What would keep QEMU from opening a tap that is there, or the guest from being heard behind it. */
function prepared(net: TapNet, link: LinkFact, user: TapUser): readonly TapProblem[] {
  const name = link.ifname;
  const word = shellWord(name);
  const problems: TapProblem[] = [];
  const refuse = (what: string, why: string, ...todo: string[]): void => {
    problems.push({ code: 'QL_TAP', what: `${net.at}: ${what}`, why: [why], todo });
  };
  if (link.tun?.type !== 'tap') {
    refuse(
      `${name} is not a tap`,
      `it is a ${link.tun?.type ?? link.kind ?? 'network device'}`,
      `ip -d link show dev ${word}`,
    );
    return problems;
  }
  const { user: owner, multiQueue } = link.tun;
  // Whose it is and of which group are both asked, each where it is set: tun_not_capable() in linux/drivers/net/tun.c.
  // Of the group QEMU itself will tell.
  if (user.uid !== 0 && owner !== undefined && owner !== user.name && owner !== String(user.uid))
    refuse(
      `user ${user.name} may not open the tap ${name}`,
      `it belongs to user ${owner}`,
      shellLine(['sudo', 'qlaunch', 'tap', 'add', 'ANOTHER', '--user', user.name]),
    );
  // tun_set_iff() in linux/drivers/net/tun.c: EINVAL.
  if (multiQueue !== net.queues > 1)
    refuse(
      `queues=${net.queues} does not fit the tap ${name}`,
      multiQueue ? 'it was made for several queues' : 'it was made for one queue',
      multiQueue ? 'queues=2' : 'leave queues out, or make the tap with --queues',
    );
  else if (!multiQueue && link.flags.includes('LOWER_UP'))
    refuse(
      `the tap ${name} is in use`,
      'a process has it open',
      `grep -l ${shellWord(`iff:.*${name}`)} /proc/*/fdinfo/*`,
    );
  if (Object.keys(portOf(net)).length > 0)
    refuse(
      `the tap ${name} is there already`,
      `${Object.keys(portOf(net)).join(', ')}: a launch never changes a tap that it did not make`,
      'leave these out, or take another name',
    );
  if (!link.flags.includes('UP'))
    refuse(`the tap ${name} is down`, 'nothing would pass', `sudo ip link set dev ${word} up`);
  if (net.bridge !== undefined && link.master !== net.bridge)
    refuse(
      `the tap ${name} is not a port of ${net.bridge}`,
      link.master === undefined ? 'it is in no bridge' : `it is a port of ${link.master}`,
      `sudo ip link set dev ${word} master ${shellWord(net.bridge)}`,
    );
  return problems;
}

function unfit(
  net: TapNet,
  name: string,
  bridge: LinkFact | undefined,
  facts: HostFacts,
): readonly TapProblem[] {
  const word = shellWord(name);
  const refuse = (code: string, what: string, why: string, ...todo: string[]): readonly TapProblem[] => [
    { code, what: `${net.at}: ${what}`, why: [why], todo },
  ];
  if (bridge?.kind !== 'bridge') {
    const bridges = facts.links.filter(({ kind }) => kind === 'bridge').map(({ ifname }) => ifname);
    const known =
      bridges.length === 0 ? 'this host has no bridge' : `the bridges of this host: ${bridges.join(', ')}`;
    const what = bridge === undefined ? `there is no bridge ${name}` : `${name} is not a bridge`;
    const cure = bridge === undefined ? `sudo qlaunch bridge create ${word}` : 'ip -br link show type bridge';
    return refuse('QL_NO_BRIDGE', what, known, cure);
  }
  if (!bridge.flags.includes('UP'))
    return refuse(
      'QL_BRIDGE_DOWN',
      `the bridge ${name} is down`,
      'nothing would pass',
      `sudo ip link set dev ${word} up`,
    );
  if ((net.vlan !== undefined || net.trunk !== undefined) && bridge.bridge?.vlanFiltering !== true)
    return refuse(
      'QL_VLAN_FILTERING',
      `the bridge ${name} does not look at VLANs`,
      'its vlan_filtering is off, and turning it on concerns all its ports',
      `sudo ip link set dev ${word} type bridge vlan_filtering 1`,
    );
  if (net.mtu !== undefined && net.mtu > bridge.mtu)
    return refuse(
      'QL_MTU',
      `mtu=${net.mtu} is more than the bridge ${name} carries`,
      `its MTU is ${bridge.mtu}`,
      `mtu=${bridge.mtu}`,
      `sudo ip link set dev ${word} mtu ${net.mtu}`,
    );
  return [];
}
