/** `--net nat:NAME`: which bridge that is, and which networks have to be started first. */

import { readFacts } from '../../host/facts.ts';
import { libvirtBridge } from '../../host/nat/libvirt.ts';
import { definedNames, type NatPlaces, natPlaces } from '../../host/nat/places.ts';
import type { Host } from '../../host/port.ts';
import type { Finding } from '../../host/qemu/finding.ts';
import type { Identity } from '../../host/vm/user.ts';
import type { LinkFact } from '../../plan/facts.ts';
import { DEFAULT } from '../../plan/nat/default.ts';
import { portgroupOf, type Socket } from '../../plan/nat/plug.ts';
import type { NatStatus } from '../../plan/nat/start.ts';
import type { Step } from '../../plan/step.ts';
import { hasSettings } from '../../spec/nat/portgroup.ts';
import type { NatNet } from '../../spec/net-spec.ts';
import type { VmSpec } from '../../spec/vm-spec.ts';
import type { Engine } from '../engine.ts';
import { portTaken } from '../forward/ports.ts';
import { type ActiveNetwork, activeNetworks, needsMending } from '../nat/state.ts';
import { openEngine } from '../open-engine.ts';
import { type GuestWish, guestFindings, isKnownGuest } from './guests.ts';
import { listVms } from './status.ts';

/** A network that a start brings up. It stays when the VM ends. */
export interface NetworkStart {
  readonly name: string;
  /** Its bridge, as it will be there. */
  readonly link: LinkFact;
  readonly status: NatStatus;
  readonly preview: readonly Step[];
  start(engine: Engine): Promise<void>;
}

export interface Networks {
  /** By the network's name. */
  readonly sockets: ReadonlyMap<string, Socket>;
  readonly starts: readonly NetworkStart[];
  /** Whose dnsmasq somebody killed: it is started again before the VM. */
  readonly mends: readonly ActiveNetwork[];
  readonly guests: readonly GuestWish[];
  /** By NIC id: the network of ours whose port its tap becomes. */
  readonly ports: ReadonlyMap<string, string>;
  readonly places: NatPlaces;
  readonly findings: readonly Finding[];
  readonly notes: readonly string[];
}

/** @param again this very command, with root's rights. Errors of a definition: QL_NO_NETWORK, QL_NET_SPEC, QL_SUBNET_TAKEN. */
export async function networksOf(
  spec: VmSpec,
  who: Identity,
  host: Host,
  env: NodeJS.ProcessEnv,
  again?: string,
): Promise<Networks> {
  const nets = spec.nets.filter((net) => net.mode === 'nat');
  const places = natPlaces(env);
  const guests: GuestWish[] = [];
  const wanted: NatNet[] = [];
  const statuses = new Map<string, NatStatus>();
  const facts = nets.length === 0 ? { links: [], token: '' } : await readFacts(host);
  const active = nets.length === 0 ? [] : activeNetworks(places, facts);
  const sockets = new Map<string, Socket>();
  const starts: NetworkStart[] = [];
  const mends: ActiveNetwork[] = [];
  const findings: Finding[] = [];
  const notes: string[] = [];
  const by = who.root ? 'tap' : 'helper';
  for (const net of nets) {
    const { network: name, at, queues } = net;
    if (by === 'helper' && isKnownGuest(net)) findings.push(onlyRoot(net, spec.name, again));
    // One queue is all that the helper opens.
    if (by === 'helper' && queues > 1)
      findings.push({
        code: 'QL_NET_QUEUES',
        what: `${at}: queues=${queues} needs a tap, which only root may make`,
        why: ['QEMU’s bridge helper opens one queue'],
        todo: ['leave queues out', 'run it with sudo: QEMU itself still runs as you'],
      });
    if (by === 'tap' && isKnownGuest(net)) wanted.push(net);
    if (sockets.has(name)) continue;
    const running = active.find((one) => one.name === name);
    if (running !== undefined) {
      sockets.set(name, socketOf(running, by));
      statuses.set(name, running);
      if (needsMending(running)) {
        if (who.root) mends.push(running);
        notes.push(
          who.root
            ? `${at}: the dnsmasq of ${name} has ended, and is started again`
            : `${at}: the dnsmasq of ${name} has ended, so nobody gives addresses: sudo qlaunch net check ${name} --fix`,
        );
      }
      if (by === 'helper' && running.isolated === true) findings.push(onlyRootIsolates(at, name));
      continue;
    }
    const theirs =
      name === DEFAULT || !definedNames(places).includes(name) ? libvirtBridge(name, facts) : undefined;
    if (theirs !== undefined) {
      sockets.set(name, { bridge: theirs, by });
      notes.push(`${at}: ${name} is libvirt’s network on ${theirs}, which is used as it is`);
      continue;
    }
    if (!who.root) {
      findings.push(notStarted(name, at, who));
      continue;
    }
    // Loads the XML library, which a network that runs does not need.
    const start = await (await import('./network-start.ts')).networkStart(
      openEngine({ tool: 'qlaunch', env }),
      env,
      name,
    );
    sockets.set(name, socketOf(start.status, by));
    statuses.set(name, start.status);
    starts.push(start);
    notes.push(`${at}: the network ${name} is started first, and stays: sudo qlaunch net stop ${name}`);
  }
  for (const net of nets) {
    const network = statuses.get(net.network);
    if (network !== undefined) {
      findings.push(...groupFindings(net, network, by));
      notes.push(...groupNotes(net, network));
    }
  }
  for (const net of wanted) {
    const network = statuses.get(net.network);
    if (network !== undefined) guests.push({ net, network });
    else if (sockets.has(net.network)) findings.push(onlyLibvirt(net));
  }
  for (const net of nets)
    if (
      net.portgroup !== undefined &&
      !wanted.includes(net) &&
      sockets.has(net.network) &&
      !statuses.has(net.network)
    )
      findings.push(onlyLibvirt(net));
  findings.push(...guests.flatMap(guestFindings));
  findings.push(...(await portsTaken(guests, who, host, env)));
  const own = by === 'tap' ? nets.filter(({ network }) => statuses.has(network)) : [];
  const ports = new Map(own.map(({ id, network }) => [id, network]));
  return { sockets, starts, mends, guests, ports, places, findings, notes };
}

/** Nothing listens on a port that is forwarded, so the kernel would not tell. */
async function portsTaken(
  guests: readonly GuestWish[],
  who: Identity,
  host: Host,
  env: NodeJS.ProcessEnv,
): Promise<readonly Finding[]> {
  const wishes = guests.flatMap(({ net }) => net.forwards.map((forward) => ({ forward, at: net.at })));
  if (wishes.length === 0) return [];
  const vms = listVms(who, env);
  const found = wishes.map(({ forward, at }) => portTaken(forward, vms, host, at));
  return (await Promise.all(found)).filter((finding) => finding !== undefined);
}

const socketOf = ({ bridge, isolated, portgroups }: NatStatus, by: Socket['by']): Socket => ({
  bridge,
  by,
  ...(isolated === true ? { isolated } : {}),
  ...(portgroups === undefined ? {} : { portgroups }),
});

/** Of a bridge of the host's own nobody here knows in which VLAN its router is. */
function groupNotes(net: NatNet, { name, mode, portgroups }: NatStatus): readonly string[] {
  const group = portgroupOf(net, portgroups);
  if (group?.vlan === undefined || mode === 'bridge') return [];
  return [
    `${net.at}: the portgroup "${group.name}" is VLAN ${group.vlan}: it reaches guests in there, and not what ${name} itself gives (addresses, names, a way out)`,
  ];
}

/** What the network has no such portgroup for, and what of it the bridge helper can not do. */
function groupFindings(
  net: NatNet,
  { name, portgroups = [] }: NatStatus,
  by: Socket['by'],
): readonly Finding[] {
  const group = portgroupOf(net, portgroups);
  if (net.portgroup !== undefined && group === undefined)
    return [
      {
        code: 'QL_NET_PORTGROUP',
        what: `${net.at}: the network ${name} has no portgroup "${net.portgroup}"`,
        why: [
          portgroups.length === 0 ? 'it has none' : `it has ${portgroups.map((one) => one.name).join(', ')}`,
        ],
        todo: [`qlaunch net dumpxml ${name}`],
      },
    ];
  if (by === 'tap' || group === undefined || !hasSettings(group)) return [];
  return [
    {
      code: 'QL_NET_PORTGROUP',
      what: `${net.at}: the portgroup "${group.name}" of the network ${name} is for taps, which only root may make`,
      why: ['QEMU’s bridge helper makes plain ports'],
      todo: ['run it with sudo: QEMU itself still runs as you'],
    },
  ];
}

function onlyRootIsolates(at: string, name: string): Finding {
  return {
    code: 'QL_NET_ISOLATED',
    what: `${at}: the ports of the network ${name} are isolated, which only root can make`,
    why: ['QEMU’s bridge helper makes plain ports'],
    todo: ['run it with sudo: QEMU itself still runs as you'],
  };
}

function onlyLibvirt({ network, at }: NatNet): Finding {
  return {
    code: 'QL_NET_GUEST',
    what: `${at}: the network ${network} is libvirt’s: ip=, hostname= and fwd= would alter it, and portgroup= is its own to read`,
    why: [`libvirt runs a network of this name, and ours does not run`],
    todo: [
      ...(network === DEFAULT ? [`sudo qlaunch net start ${DEFAULT}   # one of our own, beside it`] : []),
      `virsh -c qemu:///system net-edit ${network}   # a host entry there gives an address`,
    ],
  };
}

function onlyRoot({ at, ip, hostname, forwards }: NatNet, vm: string, again: string | undefined): Finding {
  const later = ip === undefined && hostname === undefined;
  return {
    code: 'QL_NET_GUEST',
    what: `${at}: ip=, hostname= and fwd= of a network are root’s to give`,
    why: ['they concern every guest of it, and ports of this host'],
    todo: [
      again === undefined
        ? 'run it with sudo: QEMU itself still runs as you'
        : `${again}   # QEMU itself still runs as you`,
      ...(later
        ? forwards.map(
            ({ proto, address, hostPort, guestAddress, guestPort }) =>
              `sudo qlaunch forward add ${vm} ${[proto, address, hostPort, ...(guestAddress === undefined ? [] : [guestAddress]), guestPort].join(':')}   # while it runs, started without fwd=`,
          )
        : []),
      '--net user,fwd=… needs no rights',
    ],
  };
}

function notStarted(name: string, at: string, { user }: Identity): Finding {
  return {
    code: 'QL_NET_INACTIVE',
    what: `${at}: the network ${name} is not started`,
    why: ['only root may start it'],
    todo: [`sudo qlaunch net start ${name} --allow ${user.name}   # once; then you need no rights`],
  };
}
