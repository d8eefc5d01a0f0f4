/** Starting a VM whose plan is ready: under its lock, with its record written before QEMU runs. */
import { constants } from 'node:os';
import { join } from 'node:path';
import { EXIT, QlaunchError } from '../../errors.ts';
import type { Host } from '../../host/port.ts';
import { ownVars } from '../../host/qemu/firmware.ts';
import { recordFormat } from '../../host/qemu/images.ts';
import { writeMacs } from '../../host/vm/macs.ts';
import { dropPrivileges, spawnWaiter } from '../../host/vm/spawn.ts';
import { readText, writeRecord } from '../../host/vm/store.ts';
import { asRoot, becomeUser, type Identity } from '../../host/vm/user.ts';
import type { Argv } from '../../plan/step.ts';
import { FILES } from '../../plan/vm/waiter.ts';
import { type QemuEnd, qemuFailed } from '../qemu/messages.ts';
import type { QmpClient } from '../qmp/client.ts';
import { connectQmp } from '../qmp/connect.ts';
import { makePlace, takePlace } from './place.ts';
import type { VmPlan } from './plan.ts';
import { alive, readStatus, type VmStatus } from './status.ts';
import { waitForEnd } from './stop.ts';

export interface Launched {
  readonly vm: VmStatus;
  /** The supervisor's monitor, negotiated. */
  readonly qmp: QmpClient;
}

/** A slow tap script or a large memory backend may take its time; a broken KVM hangs for ever. */
const READY_MS = 60_000;
/** How often to look whether QEMU has given up meanwhile. */
const WATCH_MS = 20;
/** From QEMU's last breath to its status on disk. */
const LAST_WORDS_MS = 2_000;

/** Errors: QL_VM_RUNNING, QL_LOCKED, QL_QEMU_FAILED with QEMU's words, QL_QMP_SILENT. */
export async function launch(plan: VmPlan, host: Host, who: Identity, terminal: boolean): Promise<Launched> {
  const { place, command } = plan;
  remember(plan, who);
  makePlace(place, who);
  // The directory is its user's from here on, and may be full of traps for root.
  becomeUser(who);
  const lock = await takePlace(place);
  try {
    await prepare(plan, host, who);
    writeRecord(place.dir, plan.record);
    await spawnWaiter({
      dir: place.dir,
      argv: [command.binary, ...command.argv],
      lockFd: lock.fd,
      inherit: plan.descriptors,
      terminal,
      who,
      cwd: process.cwd(),
    });
  } finally {
    // QEMU and its waiter hold it now; ours would make a dead VM look alive.
    lock.release();
  }
  const qmp = await untilReady(plan);
  const vm = readStatus(place.dir);
  if (vm === undefined) throw new Error(`the record in ${place.dir} is gone`);
  return { vm, qmp };
}

/** What holds for this VM's next start as well. */
function remember(plan: VmPlan, who: Identity): void {
  const { dirs, newMacs, newDisks, vars } = plan;
  if (newMacs !== undefined) writeMacs(dirs.state, newMacs);
  for (const disk of newDisks) recordFormat(dirs.state, disk.file, disk.inode, disk.format);
  if (vars !== undefined) ownVars(vars.template, vars.target, who.dropTo ? who.user : undefined);
}

async function prepare(plan: VmPlan, host: Host, who: Identity): Promise<void> {
  for (const { title, do: action, deadlineMs } of plan.steps) {
    // The directory and the firmware's variables are made already, with more care than a shell line shows.
    if (!('run' in action) || action.run[0] !== '/bin/sh') continue;
    const argv = [...dropPrivileges(who), ...action.run] as unknown as Argv;
    const result = await asRoot(who, () => host.run(argv, { timeoutMs: deadlineMs }));
    if (result.status === 0) continue;
    throw new QlaunchError('QL_STEP_REFUSED', EXIT.host, {
      what: `could not ${title}`,
      why: [result.timedOut ? `it took longer than ${deadlineMs / 1000} s` : result.stderr.trim()],
      todo: ['qlaunch … --dry-run   # and run the step by hand'],
    });
  }
}

async function untilReady(plan: VmPlan): Promise<QmpClient> {
  const gaveUp = new AbortController();
  const watch = setInterval(() => {
    const vm = readStatus(plan.place.dir);
    if (vm === undefined || !alive(vm)) gaveUp.abort(failure(plan, vm));
  }, WATCH_MS);
  try {
    return await connectQmp(join(plan.place.socketDir, FILES.supervisor), {
      deadlineMs: READY_MS,
      signal: gaveUp.signal,
    });
  } catch (error) {
    // A monitor closes a moment before the waiter has written QEMU's status.
    const vm = readStatus(plan.place.dir);
    const end = vm === undefined ? undefined : await waitForEnd(vm, LAST_WORDS_MS).catch(() => vm);
    throw end === undefined || !alive(end) ? failure(plan, end) : error;
  } finally {
    clearInterval(watch);
  }
}

/** QEMU's words first, then what is known about them. */
function failure(plan: VmPlan, vm: VmStatus | undefined): QlaunchError {
  const said = readText(join(plan.place.dir, FILES.qemuLog)) ?? '';
  return qemuFailed(said, endOf(vm?.exit), `QEMU did not start VM "${plan.place.name}"`);
}

/** A shell tells a signal as 128 + its number. */
function endOf(exit: number | undefined): QemuEnd {
  const signal = Object.entries(constants.signals).find(([, number]) => exit === 128 + number)?.[0];
  return { status: signal === undefined ? (exit ?? null) : null, signal: signal ?? null };
}
