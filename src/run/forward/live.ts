/** `qlaunch forward`: ports of this host that lead to a guest, while it runs. */
import { EXIT, QlaunchError } from '../../errors.ts';
import type { NatPlaces } from '../../host/nat/places.ts';
import { refusal } from '../../host/qemu/finding.ts';
import { rewriteRecord } from '../../host/vm/rewrite.ts';
import { hostfwdAdd, hostfwdRemove } from '../../plan/forward/monitor.ts';
import { DEADLINE_MS, type Step } from '../../plan/step.ts';
import type { Forward } from '../../spec/forward.ts';
import type { Left } from '../change/teardown.ts';
import type { Engine } from '../engine.ts';
import type { QmpClient } from '../qmp/client.ts';
import { listeningFor, type Nic, type NicForward } from '../vm/forwards.ts';
import { whileCommanding, withMonitor } from '../vm/monitor.ts';
import type { VmStatus } from '../vm/status.ts';
import { healForwards } from './heal.ts';
import { isLost } from './lost.ts';
import { addNatForward, natForwardSteps, removeNatForward } from './nat.ts';
import { portTaken } from './ports.ts';

export interface ForwardRow extends NicForward {
  readonly nic: string;
  readonly mode: string;
}

export interface Place {
  readonly engine: Engine;
  readonly places: NatPlaces;
  /** All that the caller can see now: who else has the port. */
  readonly vms: () => readonly VmStatus[];
}

/** With the port that was chosen where 0 was asked for. Errors: QL_PORT_IN_USE, QL_FORWARD_REFUSED, as natForwardSteps(). */
export async function addForward(
  place: Place,
  vm: VmStatus,
  nic: Nic,
  forward: Forward,
): Promise<NicForward> {
  if (nic.mode === 'user') {
    await refuseTaken(place, forward);
    return withMonitor(vm, (qmp) => addUserForward(vm, nic, forward, qmp));
  }
  return whileCommanding(vm, 'forward add', async () => {
    // In one piece, as far as other commands of ours see it.
    const watch = await place.engine.locked(`forward add ${vm.record.name}`, async () => {
      await healForwards(place.engine, place.vms());
      const { steps, wasLost } = await freshSteps(place, vm, nic, forward);
      if (wasLost) await clearLost(place, vm, nic, forward);
      const then = await addNatForward(place.engine, vm, nic, steps);
      remember(vm, nic, (known) => [...known, forward]);
      return then;
    });
    if (watch !== undefined) await place.engine.machine.run(watch, { timeoutMs: DEADLINE_MS });
    return forward;
  });
}

/**
 * What makes it, also where somebody has removed its rules. Nothing is taken away before that is known. Errors:
 * QL_PORT_IN_USE, as natForwardSteps().
 */
export async function freshSteps(
  place: Place,
  vm: VmStatus,
  nic: Nic,
  forward: Forward,
): Promise<{ readonly steps: readonly Step[]; readonly wasLost: boolean }> {
  const wasLost = await isLost(place, vm, nic, forward);
  await refuseTaken(
    wasLost ? { ...place, vms: () => place.vms().map(without(vm, nic, forward)) } : place,
    forward,
  );
  return { steps: await natForwardSteps(place.engine, place.places, vm, nic, forward), wasLost };
}

const without =
  ({ dir }: VmStatus, { id }: Nic, forward: Forward) =>
  (vm: VmStatus): VmStatus => {
    if (vm.dir !== dir) return vm;
    const nics = vm.record.nics.map((nic) =>
      nic.id === id ? { ...nic, forwards: nic.forwards.filter((one) => !isSame(one, forward)) } : nic,
    );
    return { ...vm, record: { ...vm.record, nics } };
  };

/** What is left of the one whose rules somebody has removed. Throws QL_LEFTOVERS (exit 6). */
async function clearLost({ engine }: Place, vm: VmStatus, nic: Nic, forward: Forward): Promise<void> {
  const left = await takeAway(engine, vm, nic, forward);
  if (left.length === 0) return;
  throw new QlaunchError('QL_LEFTOVERS', EXIT.leftovers, {
    what: `could not take away what is left of the forward of ${forward.proto} port ${forward.hostPort}`,
    why: left.map(({ title, why }) => `"${title}" was not taken back: ${why}`),
    todo: left.map(({ byHand }) => byHand),
  });
}

/** Throws QL_PORT_IN_USE (exit 3), which names the owner. */
export async function refuseTaken({ engine, vms }: Place, forward: Forward): Promise<void> {
  const taken = await portTaken(forward, vms(), engine.machine, 'the forward');
  if (taken !== undefined) throw refusal([taken]);
}

async function addUserForward(vm: VmStatus, nic: Nic, forward: Forward, qmp: QmpClient): Promise<NicForward> {
  const before = await listeningFor(nic.id, qmp);
  const answer = await qmp.execute('human-monitor-command', { 'command-line': hostfwdAdd(nic.id, forward) });
  if (String(answer).trim() !== '')
    throw new QlaunchError('QL_FORWARD_REFUSED', EXIT.host, {
      what: `QEMU did not take the forward of ${forward.proto} port ${forward.hostPort} on ${forward.address}`,
      why: [String(answer).trim()],
      todo: [
        'ip -br address   # the addresses of this host',
        'take another port: as root of this host only below 1024',
      ],
    });
  const key = (one: NicForward): string => JSON.stringify([one.proto, one.address, one.hostPort]);
  const old = new Set(before.map(key));
  const fresh = (await listeningFor(nic.id, qmp)).find((one) => !old.has(key(one)));
  const made = { ...forward, hostPort: fresh?.hostPort ?? forward.hostPort };
  remember(vm, nic, (known) => [...known, made]);
  return made;
}

/** What could not be taken back of it. Errors: QL_FORWARD_REFUSED, QL_FORWARD_TAP. */
export async function removeForward(
  { engine }: Place,
  vm: VmStatus,
  nic: Nic,
  forward: NicForward,
): Promise<readonly Left[]> {
  if (nic.mode === 'user')
    return withMonitor(vm, async (qmp) => {
      const line = hostfwdRemove(nic.id, { ...forward, proto: forward.proto === 'udp' ? 'udp' : 'tcp' });
      const answer = String(await qmp.execute('human-monitor-command', { 'command-line': line })).trim();
      if (!answer.endsWith('removed'))
        throw new QlaunchError('QL_FORWARD_REFUSED', EXIT.host, {
          what: `QEMU did not remove the forward of ${forward.proto} port ${forward.hostPort}`,
          why: [answer],
          todo: [`qlaunch forward list ${vm.record.name}`],
        });
      forget(vm, nic, forward);
      return [];
    });
  return whileCommanding(vm, 'forward remove', async () => {
    return engine.locked(`forward remove ${vm.record.name}`, () => takeAway(engine, vm, nic, forward));
  });
}

async function takeAway(
  engine: Engine,
  vm: VmStatus,
  nic: Nic,
  forward: NicForward,
): Promise<readonly Left[]> {
  // Killed from here on, it is a rule that no record knows: recover takes it back.
  forget(vm, nic, forward);
  const left = await removeNatForward(engine, vm, nic, forward);
  if (left.length > 0) remember(vm, nic, (known) => [...known, forward]);
  return left;
}

/** Those of `user` networks as QEMU itself tells them. Throws QL_VM_NOT_RUNNING (exit 3). */
export function listForwards(vm: VmStatus): Promise<readonly ForwardRow[]> {
  const rows = (nic: Nic, forwards: readonly NicForward[]): readonly ForwardRow[] =>
    forwards.map(({ proto, address, hostPort, guestPort }) => ({
      ...{ nic: nic.id, mode: nic.mode },
      ...{ proto, address, hostPort, guestPort },
    }));
  const { nics } = vm.record;
  if (nics.every(({ mode }) => mode !== 'user'))
    return whileCommanding(vm, 'forward list', async () => nics.flatMap((nic) => rows(nic, nic.forwards)));
  return withMonitor(vm, async (qmp) => {
    const all: ForwardRow[] = [];
    for (const nic of nics)
      all.push(...rows(nic, nic.mode === 'user' ? await listeningFor(nic.id, qmp) : nic.forwards));
    return all;
  });
}

/** The same port of this host. */
export const isSame = (
  a: Pick<NicForward, 'proto' | 'address' | 'hostPort'>,
  b: Pick<NicForward, 'proto' | 'address' | 'hostPort'>,
): boolean => a.proto === b.proto && a.address === b.address && a.hostPort === b.hostPort;

const forget = (vm: VmStatus, nic: Nic, forward: NicForward): void =>
  remember(vm, nic, (known) => known.filter((one) => !isSame(one, forward)));

/** For `ps`, `ssh` and the next `forward`. */
function remember(
  { dir }: VmStatus,
  { id }: Nic,
  change: (known: readonly NicForward[]) => readonly NicForward[],
): void {
  rewriteRecord(dir, (record) => ({
    ...record,
    nics: record.nics.map((nic) => (nic.id === id ? { ...nic, forwards: change(nic.forwards) } : nic)),
  }));
}
