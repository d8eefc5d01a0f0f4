/** Forwards of a guest on a NAT network, added to what its VM keeps on the host and taken from it. */
import { EXIT, QlaunchError } from '../../errors.ts';
import { readLeaseFile } from '../../host/nat/leases.ts';
import type { NatPlaces } from '../../host/nat/places.ts';
import { readReservations } from '../../host/nat/reservations.ts';
import type { ProcessId } from '../../host/port.ts';
import { forwardSteps, forwardTable, type GuestPort, guestSteps, isOfForward } from '../../plan/nat/guest.ts';
import { ownerMark } from '../../plan/owner.ts';
import type { Step } from '../../plan/step.ts';
import type { Forward } from '../../spec/forward.ts';
import { addSteps, takeBackSome } from '../change/amend.ts';
import { entrust } from '../change/guarded.ts';
import type { Left } from '../change/teardown.ts';
import type { Engine } from '../engine.ts';
import type { Journal } from '../journal/journal.ts';
import { loadChanges } from '../journal/load.ts';
import { lookAtNetworks } from '../nat/state.ts';
import type { Nic, NicForward } from '../vm/forwards.ts';
import { vmLabel } from '../vm/left.ts';
import type { VmStatus } from '../vm/status.ts';

interface Kept {
  readonly tap: string;
  /** What the VM keeps on the host. */
  readonly journal: Journal;
  /** Its QEMU. */
  readonly holder: ProcessId;
}

/** Throws QL_FORWARD_TAP (exit 3): its tap is none that we made for it. */
function keptBy(engine: Engine, { record }: VmStatus, { id }: Nic): Kept {
  const tap = tapOf(record.argv, id);
  const journals = loadChanges(engine.stores, engine.world).flatMap(({ journal }) => journal ?? []);
  const lifetime = vmLabel(record.uid, record.name);
  for (const journal of journals) {
    const { head, entries } = journal;
    const made = entries.some(({ owns }) => owns !== undefined && 'link' in owns && owns.link === tap);
    if (!('vm' in head.lifetime) || head.lifetime.vm !== lifetime || !made || tap === undefined) continue;
    const { holder } = head;
    if (holder === null || holder === 'until-undone' || engine.world.alive(holder) !== 'alive') continue;
    return { tap, journal, holder };
  }
  throw new QlaunchError('QL_FORWARD_TAP', EXIT.refused, {
    what: `VM "${record.name}": no forward can be added to ${id} while it runs`,
    why: ['its tap was made by QEMU’s bridge helper, and nothing of ours on this host would end with it'],
    todo: [
      `qlaunch stop ${record.name}   # then start it with sudo: QEMU itself still runs as you`,
      'or start it with: --net user   # whose forwards need no rights',
    ],
  });
}

/** `-netdev tap,id=net0,ifname=qt-web0,…`: of a tap that QEMU opens by its name. */
export function tapOf(argv: readonly string[], nic: string): string | undefined {
  const netdev = argv.find((word, n) => argv[n - 1] === '-netdev' && word.startsWith(`tap,id=${nic},`));
  return /,ifname=([^,]+)/.exec(netdev ?? '')?.[1];
}

/** As they would be made now. Errors: QL_FORWARD_TAP, QL_FORWARD_MODE, QL_NO_ADDRESS (exit 3). */
export async function natForwardSteps(
  engine: Engine,
  places: NatPlaces,
  vm: VmStatus,
  nic: Nic,
  forward: Forward,
): Promise<readonly Step[]> {
  const { tap } = keptBy(engine, vm, nic);
  const name = vm.record.name;
  const network = (await lookAtNetworks(engine, places)).find(({ ports }) => ports.includes(tap));
  if (network === undefined || network.dhcp === undefined || network.mode !== 'nat')
    throw new QlaunchError('QL_FORWARD_MODE', EXIT.refused, {
      what: `VM "${name}": no forward leads to ${nic.id}`,
      why: [
        network === undefined
          ? `its tap ${tap} is plugged into no network that runs`
          : `the network ${network.name} has ${network.mode === 'nat' ? 'no DHCP' : 'no NAT'}`,
      ],
      todo: [`qlaunch ip ${name}`],
    });
  const paths = places.paths(network.name);
  const promised = readReservations(paths.hosts).find(({ mac }) => mac === nic.mac);
  const address = (promised ?? readLeaseFile(paths.leases).find(({ mac }) => mac === nic.mac))?.address;
  if (address === undefined)
    throw new QlaunchError('QL_NO_ADDRESS', EXIT.refused, {
      what: `VM "${name}": ${nic.id} has no address yet`,
      why: [`the network ${network.name} has given none to ${nic.mac}`],
      todo: [`qlaunch ip ${name} --wait 30`],
    });
  const mark = ownerMark({ vm: vmLabel(vm.record.uid, name) }, engine.newToken());
  const { subnet } = network.dhcp;
  const guest: GuestPort = {
    ...{ tap, mac: nic.mac, address, forwards: [], bridge: network.bridge, subnet },
    ...(network.mac === undefined ? {} : { bridgeMac: network.mac }),
  };
  // From now on it keeps the address that it has.
  const kept = promised === undefined ? guestSteps(guest, paths, mark) : [];
  return [...kept, ...forwardSteps(guest, forward, mark)];
}

/** Under the VM's command lock and the host's. Errors as natForwardSteps(), and those of a step, with everything taken back. */
export async function addNatForward(
  engine: Engine,
  places: NatPlaces,
  vm: VmStatus,
  nic: Nic,
  forward: Forward,
): Promise<void> {
  const title = `forward add ${vm.record.name}`;
  const steps = await natForwardSteps(engine, places, vm, nic, forward);
  const { journal, holder, tap } = keptBy(engine, vm, nic);
  const { lifetime } = journal.head;
  const onJournal = (now: Journal): Promise<void> => entrust(engine, now, holder);
  await addSteps(engine, journal, steps, { title, lifetime, onJournal });
  if (engine.world.alive(holder) === 'alive') return;
  // Its guard may have read the older script.
  await takeBackSome(engine, journal, ofForward(tap, forward));
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
  const { journal, holder, tap } = keptBy(engine, vm, nic);
  const left = await takeBackSome(engine, journal, ofForward(tap, forward));
  await entrust(engine, journal, holder);
  return left;
}

/** What removeNatForward() takes back. */
export function natForwardEntries(
  engine: Engine,
  vm: VmStatus,
  nic: Nic,
  forward: NicForward,
): readonly { readonly title: string; readonly byHand: string }[] {
  const { journal, tap } = keptBy(engine, vm, nic);
  return journal.open.filter(ofForward(tap, forward));
}

function ofForward(tap: string, forward: NicForward): (entry: Journal['entries'][number]) => boolean {
  const proto = forward.proto === 'udp' ? 'udp' : 'tcp';
  const table = forwardTable(tap, { ...forward, proto });
  return (entry) => isOfForward(entry, table);
}
