/** Starting a VM whose plan is ready: under its lock, with its record written before QEMU runs. */
import { constants } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT, QlaunchError } from '../../errors.ts';
import type { Lock } from '../../host/flock.ts';
import type { Host } from '../../host/port.ts';
import { ownVars } from '../../host/qemu/firmware.ts';
import { recordFormat } from '../../host/qemu/images.ts';
import { writePins } from '../../host/vfio/pins.ts';
import { claimLaunch } from '../../host/vm/alive.ts';
import { updateMacs } from '../../host/vm/macs.ts';
import { endPassts } from '../../host/vm/signal.ts';
import { spawnWaiter, type Waiter } from '../../host/vm/spawn.ts';
import { readTail, removeFiles, writeRecord } from '../../host/vm/store.ts';
import { becomeUser, type Identity } from '../../host/vm/user.ts';
import { FILES } from '../../plan/vm/waiter.ts';
import type { Engine } from '../engine.ts';
import { type QemuEnd, qemuFailed } from '../qemu/messages.ts';
import type { QmpClient } from '../qmp/client.ts';
import { connectQmp } from '../qmp/connect.ts';
import { chosenPorts } from './forwards.ts';
import { type HostChange, makeHost } from './host.ts';
import { withLeft } from './left.ts';
import { macOwner, mergeMacs } from './nics.ts';
import { makePlace, takePlace } from './place.ts';
import type { VmPlan } from './plan.ts';
import { prepare } from './prepare.ts';
import { explainSilence } from './silent.ts';
import { alive, readStatus, type VmStatus } from './status.ts';
import { killVm } from './stop.ts';

export interface LaunchOptions {
  readonly who: Identity;
  /** The guest's serial line is our terminal. */
  readonly terminal: boolean;
  /** Aborted: the user does not want it any more. */
  readonly stop?: AbortSignal;
  /** Root's, for a plan that changes the host. */
  readonly engine?: Engine;
}

export interface Launched {
  readonly vm: VmStatus;
  /** The supervisor's monitor, negotiated. */
  readonly qmp: QmpClient;
}

/** A slow tap script or a large memory backend may take its time; a broken KVM hangs for ever. */
const READY_MS = 60_000;
/** From QEMU's last breath to its status on disk. */
const LAST_WORDS_MS = 2_000;
/** For a guard to take back what lived as long as the VM. */
const GUARD_MS = 10_000;

/** Errors: QL_VM_RUNNING, QL_LOCKED, QL_QEMU_FAILED with QEMU's words, QL_QMP_SILENT. */
export async function launch(plan: VmPlan, host: Host, how: LaunchOptions): Promise<Launched> {
  const { who } = how;
  const { place } = plan;
  await remember(plan, who);
  makePlace(place, who);
  // The directory is its user's from here on, and may be full of traps for root.
  becomeUser(who);
  const lock = await takePlace(place);
  let change: HostChange | undefined;
  let waiter: Waiter;
  try {
    // First, so that a start that is cut short is seen by ps, and healed by recover.
    claimLaunch(place.dir);
    writeRecord(place.dir, plan.record);
    change = await changeHost(plan, how);
    await prepare(plan, host, who);
    waiter = await startWaiter(plan, how, lock, change);
  } catch (error) {
    endPassts(place.dir);
    const reason = await takenBack(change, error);
    removeFiles(place.dir, (file) => file === FILES.record || file === FILES.launcher);
    throw reason;
  } finally {
    // QEMU and its waiter hold it now; ours would make a dead VM look alive.
    lock.release();
  }
  const fail = async (error: unknown): Promise<never> => {
    // The guard is at it; what it leaves, and what a guard that was killed left, is ours.
    await within(GUARD_MS, waiter.ended);
    throw await takenBack(change, error);
  };
  const qmp = await untilReady(plan, waiter, how.stop).catch(fail);
  removeFiles(place.dir, (file) => file === FILES.vncPassword);
  const started = readStatus(place.dir);
  // QEMU itself: a guard may be killed, and its VM go on. Where that can not be written down, the guard keeps it.
  if (started?.pid !== undefined) await change?.keptBy(started.pid).catch(() => undefined);
  if (readStatus(place.dir)?.state !== 'running') {
    await within(GUARD_MS, waiter.ended);
    const end = readStatus(place.dir);
    if (end?.state !== 'ended') return fail(failure(plan, end));
    // Its guard may have met a journal that was being written.
    await change?.release();
    return { vm: end, qmp };
  }
  const nics = await chosenPorts(plan.record.nics, qmp);
  if (nics !== plan.record.nics) writeRecord(place.dir, { ...plan.record, nics });
  const vm = readStatus(place.dir);
  if (vm === undefined) throw new Error(`the record in ${place.dir} is gone`);
  return { vm, qmp };
}

/** Why the start failed, and what is left of what it made. */
async function takenBack(change: HostChange | undefined, error: unknown): Promise<unknown> {
  return change === undefined ? error : withLeft(error, await change.release());
}

/** Under the VM's lock. */
async function changeHost({ host }: VmPlan, { engine, who }: LaunchOptions): Promise<HostChange | undefined> {
  if (host === undefined || host.preview.length === 0) return undefined;
  if (engine === undefined) throw new TypeError('a start that changes the host needs an engine');
  return makeHost(engine, host, who);
}

async function startWaiter(
  { place, command, descriptors, limits }: VmPlan,
  { who, terminal }: LaunchOptions,
  lock: Lock,
  change: HostChange | undefined,
): Promise<Waiter> {
  const waiter = await spawnWaiter({
    dir: place.dir,
    argv: [command.binary, ...command.argv],
    limits,
    lockFd: lock.fd,
    inherit: descriptors,
    terminal,
    who,
    cwd: process.cwd(),
    ...(change === undefined ? {} : { undo: change.undo }),
  });
  try {
    await change?.keptBy(waiter.pid);
  } catch (error) {
    waiter.cancel();
    throw error;
  }
  waiter.go();
  return waiter;
}

/** What holds for this VM's next start as well. */
async function remember(plan: VmPlan, who: Identity): Promise<void> {
  const { dirs, newMacs, newDisks, pins, vars } = plan;
  const owner = macOwner(who.user.uid, plan.spec.identity);
  if (newMacs !== undefined) await updateMacs(dirs.state, (now) => mergeMacs(now, newMacs, owner));
  if (Object.keys(pins).length > 0) writePins(dirs.state, owner, pins);
  for (const disk of newDisks) recordFormat(dirs.state, disk.file, disk.inode, disk.format);
  if (vars !== undefined) ownVars(vars.template, vars.target, who.dropTo ? who.user : undefined);
}

/** Waits for QEMU's answer. A QEMU that does not come, or is not wanted any more, is ended before this throws. */
async function untilReady(plan: VmPlan, waiter: Waiter, stop?: AbortSignal): Promise<QmpClient> {
  const { dir, socketDir, name } = plan.place;
  const over = new AbortController();
  // The waiter is our child, so its end is an event; but a waiter that was killed leaves a QEMU that lives.
  void waiter.ended.then(() => {
    const vm = readStatus(dir);
    if (vm === undefined || !alive(vm)) over.abort(failure(plan, vm));
  });
  stop?.addEventListener('abort', () => over.abort(stopped(name)), { once: true });
  if (stop?.aborted) over.abort(stopped(name));
  try {
    return await connectQmp(join(socketDir, FILES.supervisor), { deadlineMs: READY_MS, signal: over.signal });
  } catch (error) {
    // A monitor closes a moment before the waiter has written QEMU's status.
    const isOurs =
      error instanceof QlaunchError && (error.code === 'QL_QMP_SILENT' || error.code === 'QL_STOPPED');
    if (!isOurs) await within(LAST_WORDS_MS, waiter.ended);
    const vm = readStatus(dir);
    if (vm === undefined || !alive(vm)) throw failure(plan, vm);
    const explained = explainSilence(error, dir);
    await killVm(vm, LAST_WORDS_MS).catch(() => undefined);
    throw isOurs ? explained : failure(plan, readStatus(dir));
  }
}

/** Neither the waiter nor its end keeps our process alive, so the clock must. */
async function within(ms: number, event: Promise<void>): Promise<void> {
  const late = new AbortController();
  await Promise.race([event, sleep(ms, undefined, { signal: late.signal }).catch(() => undefined)]);
  late.abort();
}

function stopped(name: string): QlaunchError {
  return new QlaunchError('QL_STOPPED', EXIT.refused, {
    what: `VM "${name}" was stopped before QEMU was ready`,
  });
}

/** QEMU's words first, then what is known about them. */
function failure(plan: VmPlan, vm: VmStatus | undefined): QlaunchError {
  const said = readTail(join(plan.place.dir, FILES.qemuLog)) ?? '';
  return qemuFailed(said, endOf(vm?.exit), `QEMU did not start VM "${plan.place.name}"`);
}

/** A shell tells a signal as 128 + its number. */
function endOf(exit: number | undefined): QemuEnd {
  const signal = Object.entries(constants.signals).find(([, number]) => exit === 128 + number)?.[0];
  return { status: signal === undefined ? (exit ?? null) : null, signal: signal ?? null };
}
