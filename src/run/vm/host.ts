/** What a VM needs on the host for as long as it runs: planned before the start, made by root, taken back by its guard. */

import { EXIT, QlaunchError } from '../../errors.ts';
import { readFacts } from '../../host/facts.ts';
import type { Host } from '../../host/port.ts';
import { type Finding, refusal } from '../../host/qemu/finding.ts';
import type { Pins } from '../../host/vfio/pins.ts';
import { type Identity, whileRoot } from '../../host/vm/user.ts';
import type { HostFacts } from '../../plan/facts.ts';
import type { Lifetime } from '../../plan/lifetime.ts';
import { renderLifetime } from '../../plan/lifetime.ts';
import { rememberPort } from '../../plan/nat/known-port.ts';
import { ownerMark } from '../../plan/owner.ts';
import type { Plan, Step } from '../../plan/step.ts';
import { chooseTaps, isOurs } from '../../plan/tap/decide.ts';
import { planTaps, type TapWish } from '../../plan/tap/managed.ts';
import type { PciAddress } from '../../spec/pci-address.ts';
import type { VmSpec } from '../../spec/vm-spec.ts';
import { apply } from '../apply.ts';
import { entrust, undoPath } from '../change/guarded.ts';
import type { Engine } from '../engine.ts';
import { portHeld } from '../forward/ports.ts';
import type { Journal } from '../journal/journal.ts';
import { type Change, loadChange } from '../journal/load.ts';
import { mend } from '../nat/state.ts';
import { type Recovered, recover, release } from '../recover.ts';
import { guestStepsNow } from './guests.ts';
import { refuseLeft, vmLabel } from './left.ts';
import type { NetworkStart, Networks } from './networks.ts';

export interface HostNeeds {
  readonly lifetime: Lifetime;
  /** By NIC id: the tap that QEMU opens. */
  readonly taps: Readonly<Record<string, string>>;
  /** To be started before. */
  readonly networks: readonly NetworkStart[];
  /** Starts what of running networks has ended. */
  readonly mend: () => Promise<unknown>;
  /** By the id of the NIC or host device: the function that is passed on. */
  readonly devices: Readonly<Record<string, PciAddress>>;
  /** Which device each address means, for the next start. */
  readonly pins: Pins;
  /** `prlimit …` in front of QEMU. */
  readonly limits: readonly string[];
  /** From facts read under the host lock. */
  readonly plan: (facts: HostFacts) => Promise<Plan<HostFacts>>;
  /** The same from the facts of now, for --dry-run. Empty: nothing has to be made. */
  readonly preview: readonly Step[];
  readonly findings: readonly Finding[];
  readonly notes: readonly string[];
}

/** undefined: no NIC of it has anything to do with the host. */
export async function hostNeeds(
  spec: VmSpec,
  who: Identity,
  host: Host,
  macs: Readonly<Record<string, string>>,
  networks: Networks,
  pins: Pins,
): Promise<HostNeeds | undefined> {
  const passed = spec.hostdevs.length > 0 || spec.nets.some(({ mode }) => mode === 'vfio' || mode === 'vf');
  if (!passed && !spec.nets.some(isOurs)) return undefined;
  const now = await readFacts(host);
  const facts = { ...now, links: [...now.links, ...networks.starts.map(({ link }) => link)] };
  const lifetime = { vm: vmLabel(who.user.uid, spec.name) };
  const { names, make, problems, notes } = chooseTaps(spec, who.user, lifetime, facts, macs);
  const deviceNeeds = passed ? (await import('../vfio/launch.ts')).deviceNeeds : undefined;
  const pci = await deviceNeeds?.(spec, who, host, lifetime, macs, pins);
  const onBridges = (then: HostFacts): readonly Step[] => {
    const mark = ownerMark(lifetime, then.token);
    const guests = guestStepsNow(networks.guests, networks.places, {
      ...{ taps: names, macs, mark },
      facts: then,
    });
    return [
      ...portFiles(make, names, lifetime, networks),
      ...planTaps(make, lifetime, then).steps,
      ...guests,
    ];
  };
  const stands = problems.length + networks.findings.length > 0;
  const own = stands ? [] : onBridges(withoutOwn(facts, Object.values(names), make));
  const first = networks.starts.flatMap((network) => network.preview);
  return {
    lifetime,
    taps: names,
    networks: networks.starts,
    mend: () => mend(networks.places, networks.mends),
    devices: pci?.devices ?? {},
    pins: pci?.pins ?? {},
    limits: pci?.limits ?? [],
    plan: async (then) => {
      await refuseHeld(networks, host);
      return { steps: [...onBridges(then), ...((await pci?.plan()) ?? [])] };
    },
    preview: [...first, ...own, ...(pci?.preview ?? [])],
    findings: [...problems, ...(pci?.findings ?? [])],
    notes: [...notes, ...(pci?.notes ?? [])],
  };
}

/** For whoever has to make the bridge anew. */
function portFiles(
  make: readonly TapWish[],
  taps: Readonly<Record<string, string>>,
  lifetime: { readonly vm: string },
  { ports, places }: Networks,
): readonly Step[] {
  return [...ports].flatMap(([nic, network]) => {
    const wish = make.find(({ name }) => name === taps[nic]);
    return wish === undefined ? [] : [rememberPort(wish, network, lifetime.vm, places.port(wish.name))];
  });
}

/** Another start, or `forward add`, may have got a port since this one looked. */
async function refuseHeld({ guests }: Networks, host: Host): Promise<void> {
  for (const { net } of guests)
    for (const forward of net.forwards) {
      const held = await portHeld(forward, host, net.at);
      if (held !== undefined) throw refusal([held]);
    }
}

/** A leftover of this VM is taken back before its plan is made. */
function withoutOwn(
  facts: HostFacts,
  names: readonly string[],
  make: readonly { readonly name: string }[],
): HostFacts {
  const mine = new Set(names.filter((name) => make.some((wish) => wish.name === name)));
  return { ...facts, links: facts.links.filter(({ ifname }) => !mine.has(ifname)) };
}

const isDevice = ({ do: action }: Step): boolean => 'rebind' in action;

/** Throws QL_NEEDS_ROOT (exit 3) with the steps that need it and what to type. */
export function requireRoot(steps: readonly Step[], who: Identity, again: string): void {
  if (who.root || steps.length === 0) return;
  throw new QlaunchError('QL_NEEDS_ROOT', EXIT.refused, {
    what: 'this start changes the host, which only root may do',
    why: steps.map(({ title }) => title),
    todo: [
      `${again}   # QEMU itself runs as ${who.user.name}`,
      ...(steps.some(isDevice)
        ? [`sudo qlaunch vfio bind SELECTOR --user ${who.user.name}   # once; then start it without sudo`]
        : [`sudo qlaunch tap add NAME --user ${who.user.name} --bridge BR   # once; then: --net tap:NAME`]),
    ],
  });
}

/** A change that was made for one start. */
export interface HostChange {
  /** From now on `pid` keeps it; its guard finds the script that takes it back. */
  keptBy(pid: number): Promise<void>;
  readonly undo: string;
  /** Takes back whatever of it is left. */
  release(): Promise<Recovered>;
}

/** What an earlier start of this VM left is taken back first. */
export async function makeHost(engine: Engine, needs: HostNeeds, who: Identity): Promise<HostChange> {
  const name = renderLifetime(needs.lifetime);
  const journal = await whileRoot(who, async () => {
    const isOf = ({ journal: of }: Change): boolean =>
      of !== undefined && renderLifetime(of.head.lifetime) === name;
    refuseLeft(await recover(engine, isOf), name);
    for (const network of needs.networks) await network.start(engine);
    await needs.mend();
    return apply(engine, { title: `run ${name}`, lifetime: needs.lifetime }, needs.plan);
  });
  return {
    undo: undoPath(engine, journal),
    keptBy: (pid) => whileRoot(who, () => keep(engine, journal, pid)),
    release: () => whileRoot(who, () => release(engine, needs.lifetime)),
  };
}

/** Under the host lock, for its guard may be taking it back by now: what is closed must not come back. */
function keep(engine: Engine, journal: Journal, pid: number): Promise<void> {
  return engine.locked(`keep ${journal.head.title}`, async () => {
    const holder = engine.world.process(pid);
    // It has ended already: then nobody holds it, and its guard takes it back.
    if (holder === undefined) return;
    const { journal: open } = loadChange(engine.stores, engine.world, journal.head.id);
    if (open !== undefined) await entrust(engine, journal, holder);
  });
}
