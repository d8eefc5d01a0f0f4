/** Which functions a VM's NICs are, what speaks against it, and what has to be done for it. */
import { QlaunchError } from '../../errors.ts';
import type { VfioNet, VfNet } from '../../spec/net-spec.ts';
import type { PciAddress } from '../../spec/pci-address.ts';
import { isProblem } from '../../spec/raw.ts';
import { parseSelector } from '../../spec/vfio/selector.ts';
import type { VmSpec } from '../../spec/vm-spec.ts';
import type { FileOwner, Step } from '../step.ts';
import { planBind } from './bind.ts';
import { check, stopping, targetsOf } from './checks.ts';
import type { PciFunction, VfioFacts } from './facts.ts';
import { movedFrom, pinOf } from './pin.ts';
import { type KnownNames, selectOne } from './select.ts';
import { freeVf, type VfSettings, vfSteps } from './vf.ts';

export type PassedNet = Pick<VfioNet, 'id' | 'at' | 'mode' | 'selector' | 'wholeGroup'> | VfNet;

/** NICs and other devices of the host that the VM is given. */
export function passedOn({ nets, hostdevs }: Pick<VmSpec, 'nets' | 'hostdevs'>): readonly PassedNet[] {
  return [
    ...nets.filter((net) => net.mode === 'vfio' || net.mode === 'vf'),
    ...hostdevs.map((device) => ({ ...device, mode: 'vfio' as const })),
  ];
}

export interface LaunchWish {
  readonly nets: readonly PassedNet[];
  readonly owner: FileOwner;
  readonly udev: boolean;
  /** By NIC id: for virtual functions. */
  readonly macs: Readonly<Record<string, string>>;
  readonly known: KnownNames;
  /** Address → which other VM has it. */
  readonly leased: ReadonlyMap<string, string>;
  /** By NIC id: which device its address meant at the last start. */
  readonly pins: Readonly<Record<string, string>>;
}

interface Problem {
  readonly code: string;
  readonly what: string;
  readonly why: readonly string[];
  readonly todo: readonly string[];
}

export interface LaunchChoice {
  /** By NIC id. */
  readonly devices: Readonly<Record<string, PciAddress>>;
  /** Of those that were named by their address, for the next start. */
  readonly pins: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
  readonly problems: readonly Problem[];
  readonly notes: readonly string[];
}

export function chooseDevices(wish: LaunchWish, facts: VfioFacts): LaunchChoice {
  const devices: Record<string, PciAddress> = {};
  const pins: Record<string, string> = {};
  const problems: Problem[] = [];
  const notes: string[] = [];
  const taken: PciFunction[] = [];
  const admin: Step[] = [];
  const all = new Map<string, PciFunction>();
  for (const net of wish.nets) {
    try {
      const one = resolve(net, wish, facts, taken);
      devices[net.id] = one.address;
      if (isByAddress(net)) {
        const moved = movedFrom(wish.pins[net.id], one, facts, net.at);
        if (moved !== undefined) problems.push(moved);
        pins[net.id] = pinOf(one);
      }
      taken.push(one);
      const { functions } = targetsOf([one], net.mode === 'vfio' && net.wholeGroup === true, facts);
      for (const each of functions) all.set(each.address, each);
      if (net.mode === 'vf') admin.push(...vfSteps(one, settingsOf(net, wish.macs[net.id]), facts));
    } catch (error) {
      if (!(error instanceof QlaunchError)) throw error;
      const { code, message, why, todo } = error;
      problems.push({ code, what: `${net.at}: ${message}`, why, todo });
    }
  }
  const functions = [...all.values()];
  // `wholeGroup` is in the list of functions already; the group check sees what is missing from it.
  const checks = check({ functions, wholeGroup: false }, facts);
  const stops = stopping(checks, []);
  if (stops.length > 0) {
    const at = [...new Set(wish.nets.map((net) => net.at))].join(', ');
    problems.push({
      code: 'QL_VFIO_REFUSED',
      what: `${at}: this device can not be given to the guest`,
      why: stops.map(({ device, what }) => `${device}: ${what}`),
      todo: [...new Set(stops.flatMap(({ id, device, todo }) => [...todo, ...forced(id, device, stops)]))],
    });
  }
  notes.push(
    ...checks.filter(({ severity }) => severity === 'warn').map(({ device, what }) => `${device}: ${what}`),
  );
  const { owner, udev } = wish;
  const bind = planBind({ functions, facts, owner, udev });
  const own = bind.findIndex(({ do: action }) => 'run' in action && action.run[0] !== 'modprobe');
  const at = own < 0 ? bind.length : own;
  // While no driver of a guest or of the host has seen it: some take the address only once.
  return { devices, pins, steps: [...bind.slice(0, at), ...admin, ...bind.slice(at)], problems, notes };
}

/** Every other name means the device itself, wherever it is. */
function isByAddress(net: PassedNet): boolean {
  if (net.mode !== 'vfio') return false;
  const selector = parseSelector(net.selector, net.at);
  return !isProblem(selector) && selector.kind === 'address';
}

/** What only the user can know better is not for a launch to overrule: the device is taken beforehand then. */
function forced(
  id: string,
  device: string,
  stops: readonly { readonly severity: string }[],
): readonly string[] {
  if (stops.some(({ severity }) => severity === 'refuse')) return [];
  return [`sudo qlaunch vfio bind ${device} --force=${id}   # if you know better, and then start the VM`];
}

function settingsOf(net: VfNet, mac: string | undefined): VfSettings {
  const { vlan, rate, spoofchk, trust } = net;
  const all = { mac, vlan, rate, spoofchk, trust };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

function resolve(
  net: PassedNet,
  wish: LaunchWish,
  facts: VfioFacts,
  taken: readonly PciFunction[],
): PciFunction {
  const selector = parseSelector(net.mode === 'vfio' ? net.selector : net.pf, net.at);
  if (isProblem(selector)) throw new TypeError(`${selector.at}: ${selector.what}`);
  if (net.mode === 'vfio') return selectOne(selector, facts, wish.known);
  const pf = selectOne(selector, facts, wish.known);
  const mine = taken.map(({ address }) => [address, 'another NIC of this VM'] as const);
  const leased = new Map([...wish.leased, ...mine]);
  return freeVf(pf, net.vf, facts, leased);
}
