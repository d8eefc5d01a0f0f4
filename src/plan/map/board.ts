/** The picture's model, and `map --json`: bridges with uplinks and ports, what is in no bridge, and VMs. */
import { type Device, deviceOf } from './device.ts';
import type { AddressSource, BoardFacts, BoardLink, BoardVmFact } from './facts.ts';
import { stackOf } from './stack.ts';
import { type Wires, wiresOf } from './wires.ts';

export interface Board {
  readonly bridges: readonly Bridge[];
  /** Not a port of a bridge, in the order of their numbers; what is stacked on another one is in its `on`. */
  readonly others: readonly Device[];
  /** Those that run. */
  readonly vms: readonly BoardVm[];
}

export interface Bridge extends Device {
  readonly stp: boolean;
  readonly forwardDelayMs: number;
  readonly vlanFiltering: boolean;
  /** Ports that lead to hardware. */
  readonly uplinks: readonly Device[];
  readonly ports: readonly Device[];
}

export interface BoardVm {
  readonly name: string;
  readonly uid: number;
  /** "running", "starting" */
  readonly state: string;
  readonly pid?: number;
  /** In another network namespace: its devices are not in this picture. */
  readonly elsewhere: boolean;
  readonly nics: readonly BoardNic[];
}

export interface BoardNic {
  readonly id: string;
  /** As in --net: "user", "bridge", "tap", … */
  readonly mode: string;
  readonly mac: string;
  /** The host's end: the tap, and the bridge that it is a port of. */
  readonly device?: string;
  readonly bridge?: string;
  readonly addresses: readonly { readonly address: string; readonly source: AddressSource }[];
  readonly forwards: readonly string[];
}

/** `before` is an earlier look at the same host: with it there are rates. */
export function boardOf(facts: BoardFacts, before?: BoardFacts): Board {
  const wires = wiresOf(facts);
  const device = (link: BoardLink): Device => deviceOf(link, facts, wires, before);
  const bridges = facts.links.filter(({ kind }) => kind === 'bridge');
  const names = new Set(bridges.map(({ name }) => name));
  const isPort = ({ master }: BoardLink): boolean => master !== undefined && names.has(master);
  const shown = new Set<string>();
  const built = bridges.map((bridge) => {
    const ports = facts.links.filter(({ master }) => master === bridge.name);
    const leading = ports.filter((port) => port.kind !== 'tun' && stackOf(port, facts.links).hardware);
    for (const port of leading) for (const part of stackOf(port, facts.links).parts) shown.add(part);
    return {
      ...device(bridge),
      stp: bridge.stp === true,
      forwardDelayMs: bridge.forwardDelayMs ?? 0,
      vlanFiltering: bridge.vlanFiltering === true,
      uplinks: leading.map(device),
      ports: ports.filter((port) => !leading.includes(port)).map(device),
    };
  });
  const isBusy = ({ name, addresses }: BoardLink): boolean =>
    addresses.some(({ linkLocal }) => !linkLocal) || facts.defaultDevices.includes(name);
  const loose = facts.links.filter(
    (link) =>
      link.kind !== 'bridge' &&
      !isPort(link) &&
      (link.ethernet || link.up || isBusy(link)) &&
      !isLoopback(link) &&
      // The kernel makes two of these by itself, for shaping; they carry nothing.
      (link.kind !== 'ifb' || link.up) &&
      (!shown.has(link.name) || isBusy(link)),
  );
  const roots = new Set(loose.map(({ name }) => name));
  const isRoot = ({ lower, master }: BoardLink): boolean =>
    !(lower !== undefined && roots.has(lower)) && !(master !== undefined && roots.has(master));
  return {
    bridges: built,
    others: loose.filter(isRoot).map(device),
    vms: facts.vms.map((vm) => vmOf(vm, wires, facts)),
  };
}

const isLoopback = ({ name, kind, ethernet }: BoardLink): boolean =>
  name === 'lo' && kind === undefined && !ethernet;

function vmOf(vm: BoardVmFact, wires: Wires, facts: BoardFacts): BoardVm {
  const { name, uid, state, pid, elsewhere } = vm;
  const nics = vm.nics.map((nic) => {
    const port = wires.deviceOf(vm, nic);
    const bridge = facts.links.find((link) => link.name === port)?.master ?? nic.bridge;
    return {
      id: nic.id,
      mode: nic.mode,
      mac: nic.mac,
      ...(port === undefined ? {} : { device: port }),
      ...(bridge === undefined ? {} : { bridge }),
      addresses: wires.addressesOf(nic.mac),
      forwards: nic.forwards,
    };
  });
  return { name, uid, state, ...(pid === undefined ? {} : { pid }), elsewhere, nics };
}
