/** Forwards of a guest on a NAT network, added to what its VM keeps on the host and taken from it. */
import { EXIT, QlaunchError } from '../../errors.ts';
import { hasOnlyIptables } from '../../host/nat/iptables.ts';
import { readLeaseFile } from '../../host/nat/leases.ts';
import type { NatPlaces } from '../../host/nat/places.ts';
import { readReservations } from '../../host/nat/reservations.ts';
import { forwardOf, forwardSteps, forwardTable, type GuestPort, guestSteps } from '../../plan/nat/guest.ts';
import { ownerMark } from '../../plan/owner.ts';
import type { Argv, Step } from '../../plan/step.ts';
import type { Forward } from '../../spec/forward.ts';
import { addSteps, takeBackSome } from '../change/amend.ts';
import { begin } from '../change/execute.ts';
import { entrust, undoPath } from '../change/guarded.ts';
import type { Left } from '../change/teardown.ts';
import type { Engine } from '../engine.ts';
import type { Journal } from '../journal/journal.ts';
import { lookAtNetworks } from '../nat/state.ts';
import type { Nic, NicForward } from '../vm/forwards.ts';
import { vmLabel } from '../vm/left.ts';
import type { VmStatus } from '../vm/status.ts';
import { forwardsTitle, keptBy } from './kept.ts';
import { watchArgv, watchStep } from './watch.ts';

/** As they would be made now, under a mark of their own unless given. Errors: QL_FORWARD_TAP, QL_FORWARD_MODE, QL_NO_ADDRESS (exit 3). */
export async function natForwardSteps(
  engine: Engine,
  places: NatPlaces,
  vm: VmStatus,
  nic: Nic,
  forward: Forward,
  mark: string = ownerMark({ vm: vmLabel(vm.record.uid, vm.record.name) }, engine.newToken()),
): Promise<readonly Step[]> {
  const { socket, bridge } = keptBy(engine, vm, nic);
  const name = vm.record.name;
  const network = (await lookAtNetworks(engine, places)).find((one) =>
    bridge === undefined ? one.ports.includes(socket) : one.bridge === bridge,
  );
  if (network === undefined || network.dhcp === undefined || network.mode !== 'nat')
    throw new QlaunchError('QL_FORWARD_MODE', EXIT.refused, {
      what: `VM "${name}": no forward leads to ${nic.id}`,
      why: [
        network === undefined
          ? bridge === undefined
            ? `its tap ${socket} is plugged into no network that runs`
            : `it is plugged into ${bridge}, which is of no network that runs`
          : `the network ${network.name} has ${network.mode === 'nat' ? 'no DHCP' : 'no NAT'}`,
      ],
      todo: [`qlaunch ip ${name}`],
    });
  const paths = places.paths(network.name);
  const fixed = network.dhcp.hosts.find(({ mac }) => mac === nic.mac);
  const promised =
    readReservations(paths.hosts).find(({ mac }) => mac === nic.mac) ??
    (fixed === undefined ? undefined : { address: fixed.ip });
  const address = (promised ?? readLeaseFile(paths.leases).find(({ mac }) => mac === nic.mac))?.address;
  if (address === undefined)
    throw new QlaunchError('QL_NO_ADDRESS', EXIT.refused, {
      what: `VM "${name}": ${nic.id} has no address yet`,
      why: [`the network ${network.name} has given none to ${nic.mac}`],
      todo: [`qlaunch ip ${name} --wait 30`],
    });
  const { subnet } = network.dhcp;
  const guest: GuestPort = {
    ...{ tap: socket, mac: nic.mac, address, forwards: [], bridge: network.bridge, subnet },
    ...(network.mac === undefined ? {} : { bridgeMac: network.mac }),
    ...(hasOnlyIptables() ? { iptables: true } : {}),
  };
  // From now on it keeps the address that it has.
  const kept = promised === undefined ? guestSteps(guest, paths, mark) : [];
  return [...kept, ...forwardSteps(guest, forward, mark)];
}

/**
 * Under the VM's command lock and the host's. Gives what is to be started when they are free: it takes the forwards back
 * at the VM's end, which no guard of root's does. Errors: those of a step, with everything taken back.
 * @param steps of natForwardSteps()
 */
export async function addNatForward(
  engine: Engine,
  vm: VmStatus,
  nic: Nic,
  steps: readonly Step[],
): Promise<Argv | undefined> {
  const title = `forward add ${vm.record.name}`;
  const { journal: known, holder } = keptBy(engine, vm, nic);
  const lifetime = { vm: vmLabel(vm.record.uid, vm.record.name) };
  const journal = known ?? begin(engine, { title: forwardsTitle(vm.record), lifetime });
  const onJournal = (now: Journal): Promise<void> => entrust(engine, now, holder);
  try {
    await addSteps(engine, journal, steps, { title, lifetime, onJournal });
  } finally {
    if (known === undefined && journal.open.length === 0) journal.close();
  }
  if (known === undefined) journal.complete();
  await onJournal(journal);
  if (engine.world.alive(holder) === 'alive')
    return known === undefined ? watchArgv(holder, undoPath(engine, journal)) : undefined;
  // Its guard may have read the older script.
  const tables = new Set(steps.map(forwardOf));
  await takeBackSome(engine, journal, (entry) => {
    const table = forwardOf(entry);
    return table !== undefined && tables.has(table);
  });
  throw new QlaunchError('QL_VM_NOT_RUNNING', EXIT.refused, {
    what: `VM "${vm.record.name}" has ended meanwhile`,
    todo: ['sudo qlaunch recover'],
  });
}

/** Under the same locks. What is left is said; the VM's end tries again. Errors: QL_FORWARD_TAP. */
export async function removeNatForward(
  engine: Engine,
  vm: VmStatus,
  nic: Nic,
  forward: NicForward,
): Promise<readonly Left[]> {
  const { journal, holder, socket } = keptBy(engine, vm, nic);
  if (journal === undefined) return [];
  const left = await takeBackSome(engine, journal, ofForward(socket, forward));
  await entrust(engine, journal, holder);
  return left;
}

/** The watcher that the first forward of such a VM gets, as it is printed. */
export function watchSteps(engine: Engine, vm: VmStatus, nic: Nic): readonly Step[] {
  const { journal, holder } = keptBy(engine, vm, nic);
  return journal === undefined
    ? [watchStep(holder, engine.undo.path('ID.sh').replace('ID.sh', '<ID>.sh'))]
    : [];
}

/** What removeNatForward() takes back. */
export function natForwardEntries(
  engine: Engine,
  vm: VmStatus,
  nic: Nic,
  forward: NicForward,
): readonly { readonly title: string; readonly byHand: string }[] {
  const { journal, socket } = keptBy(engine, vm, nic);
  return journal?.open.filter(ofForward(socket, forward)) ?? [];
}

function ofForward(socket: string, forward: NicForward): (entry: Journal['entries'][number]) => boolean {
  const proto = forward.proto === 'udp' ? 'udp' : 'tcp';
  const table = forwardTable(socket, { ...forward, proto });
  return (entry) => forwardOf(entry) === table;
}
