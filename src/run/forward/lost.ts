/** Forwards of VMs that run whose rules somebody took away: `nft flush ruleset` takes those of everybody. */
import { EXIT, QlaunchError } from '../../errors.ts';
import { readForwards } from '../../host/nat/forwards.ts';
import { readPorts } from '../../host/nat/places.ts';
import { anew } from '../../plan/nat/anew.ts';
import type { NetFinding } from '../../plan/nat/check.ts';
import { forwardFinding, forwardText } from '../../plan/nat/forward-finding.ts';
import { forwardOf, forwardTable } from '../../plan/nat/guest.ts';
import type { Step } from '../../plan/step.ts';
import { addSteps } from '../change/amend.ts';
import { entrust } from '../change/guarded.ts';
import type { Engine } from '../engine.ts';
import type { Entry } from '../journal/entry.ts';
import { type ActiveNetwork, lookAtNetworks } from '../nat/state.ts';
import type { Nic, NicForward } from '../vm/forwards.ts';
import { vmLabel } from '../vm/left.ts';
import { whileCommanding } from '../vm/monitor.ts';
import { alive, selectorOf, type VmStatus } from '../vm/status.ts';
import { keptBy } from './kept.ts';
import type { Place } from './live.ts';
import { natForwardSteps } from './nat.ts';

interface LostForward {
  readonly vm: VmStatus;
  readonly nic: Nic;
  readonly forward: NicForward & { readonly proto: 'tcp' | 'udp' };
  /** By which it was made. */
  readonly entry: Entry;
}

/** Only the VM's record says so, which is its user's to write. */
type Claimed = Omit<LostForward, 'entry'>;

const isLostOne = (one: LostForward | Claimed): one is LostForward => 'entry' in one;

const lostForwards = async (place: Place, network: ActiveNetwork): Promise<readonly LostForward[]> =>
  (await withoutRules(place, network)).filter(isLostOne);

/** By guests of the network. None where nft can not be asked. */
async function withoutRules(
  { engine, places, vms }: Place,
  network: ActiveNetwork,
): Promise<readonly (LostForward | Claimed)[]> {
  const wanted = vms().filter((vm) => alive(vm) && vm.damaged !== true && hasForwards(vm));
  const there = wanted.length === 0 ? undefined : await readForwards(engine.machine);
  if (there === undefined) return [];
  const tables = new Set(there.map(({ table }) => table));
  const ports = readPorts(places, network.name);
  return wanted.flatMap((vm) =>
    vm.record.nics.flatMap((nic): readonly (LostForward | Claimed)[] => {
      const kept = nic.mode === 'nat' && nic.forwards.length > 0 ? tryKeptBy(engine, vm, nic) : undefined;
      if (kept === undefined) return [];
      const { socket, bridge, journal } = kept;
      const label = vmLabel(vm.record.uid, vm.record.name);
      const isIn =
        bridge === network.bridge ||
        network.ports.includes(socket) ||
        ports.some((port) => port.tap === socket && port.vm === label);
      if (!isIn) return [];
      return nic.forwards.flatMap((one): readonly (LostForward | Claimed)[] => {
        const forward = { ...one, proto: one.proto === 'udp' ? ('udp' as const) : ('tcp' as const) };
        const table = forwardTable(socket, forward);
        if (tables.has(table)) return [];
        const entry = journal?.open.find(
          (step) => forwardOf(step) === table && step.title.startsWith('forward '),
        );
        return [{ vm, nic, forward, ...(entry === undefined ? {} : { entry }) }];
      });
    }),
  );
}

const hasForwards = ({ record }: VmStatus): boolean =>
  record.nics.some(({ mode, forwards }) => mode === 'nat' && forwards.length > 0);

function tryKeptBy(engine: Engine, vm: VmStatus, nic: Nic): ReturnType<typeof keptBy> | undefined {
  try {
    return keptBy(engine, vm, nic);
  } catch (error) {
    if (error instanceof QlaunchError) return undefined;
    throw error;
  }
}

/** Of networks that run; of all, or of one. */
export async function forwardFindings(place: Place, only?: string): Promise<readonly NetFinding[]> {
  const found: NetFinding[] = [];
  const all = place.vms();
  for (const network of await networks(place, only))
    for (const one of await withoutRules(place, network))
      found.push(
        forwardFinding({
          ...{ network: network.name, vm: one.vm.record.name, forward: one.forward },
          ...(isLostOne(one) ? { selector: selectorOf(one.vm, all) } : {}),
        }),
      );
  return found;
}

const networks = async ({ engine, places }: Place, only?: string): Promise<readonly ActiveNetwork[]> =>
  (await lookAtNetworks(engine, places)).filter(({ name }) => only === undefined || name === only);

/** As they were made, under the marks that their journals know. Errors: as natForwardSteps(), QL_FORWARD_OTHER. */
async function againSteps(
  { engine, places }: Place,
  { vm, nic, forward, entry }: LostForward,
): Promise<readonly Step[]> {
  const { owns, title } = entry;
  const mark = owns !== undefined && 'comment' in owns ? owns.comment : undefined;
  const steps = await natForwardSteps(engine, places, vm, nic, forward, mark);
  if (steps.some((step) => step.title === title))
    return steps.flatMap((step) =>
      forwardOf(step) === undefined || 'write' in step.do ? [step] : anew(step),
    );
  throw new QlaunchError('QL_FORWARD_OTHER', EXIT.refused, {
    what: `will not make the forward ${forwardText(forward)} to VM ${vm.record.name} again`,
    why: [`it was "${title}", and would be another one now`],
    todo: [
      `sudo qlaunch forward remove ${vm.record.name} ${forward.proto}:${forward.address}:${forward.hostPort}`,
    ],
  });
}

/** What addLostForwards() would do; nothing where it would refuse. */
export async function lostForwardSteps(place: Place, name?: string): Promise<readonly Step[]> {
  const all: Step[] = [];
  for (const network of await networks(place, name))
    for (const lost of await lostForwards(place, network))
      all.push(...((await unlessRefused(() => againSteps(place, lost))) ?? []));
  return all;
}

/** The very same port of this host, to the same NIC: whoever adds it gets it. */
export async function isLost(
  place: Place,
  vm: VmStatus,
  nic: Nic,
  { proto, address, hostPort }: NicForward,
): Promise<boolean> {
  const all: LostForward[] = [];
  for (const network of await networks(place)) all.push(...(await lostForwards(place, network)));
  return all.some(
    (one) =>
      one.vm.dir === vm.dir &&
      one.nic.id === nic.id &&
      forwardText(one.forward) === forwardText({ proto, address, hostPort }),
  );
}

/** Gives how many there are again. What can not be made stays a finding. */
export async function addLostForwards(place: Place, name: string): Promise<number> {
  let count = 0;
  for (const network of await networks(place, name))
    for (const lost of await lostForwards(place, network))
      if ((await unlessRefused(() => addAgain(place, network, lost))) === true) count += 1;
  return count;
}

async function unlessRefused<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof QlaunchError) return undefined;
    throw error;
  }
}

/** Looked at anew under the locks: its VM may have ended, or somebody has removed it. */
function addAgain(
  place: Place,
  network: ActiveNetwork,
  { vm, nic, forward: wanted }: LostForward,
): Promise<boolean> {
  const { engine } = place;
  const title = `net check --fix ${network.name}`;
  return whileCommanding(vm, title, () =>
    engine.locked(title, async () => {
      const lost = (await lostForwards(place, network)).find(
        (one) =>
          one.vm.dir === vm.dir && one.nic.id === nic.id && forwardText(one.forward) === forwardText(wanted),
      );
      const { journal, holder } = keptBy(engine, vm, nic);
      if (lost === undefined || journal === undefined) return false;
      const { lifetime } = journal.head;
      await addSteps(engine, journal, await againSteps(place, lost), { title, lifetime });
      await entrust(engine, journal, holder);
      return true;
    }),
  );
}
