/** Ending a VM: politely first, each stage with its deadline. */
import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT, QlaunchError } from '../../errors.ts';
import { waiterPid } from '../../host/vm/alive.ts';
import { signalQemu } from '../../host/vm/signal.ts';
import { withMonitor } from './monitor.ts';
import { alive, readStatus, type VmStatus } from './status.ts';

export interface StopOptions {
  /** For the guest to shut down after the ACPI power button. */
  readonly powerdownMs: number;
  /** For QEMU to leave after `quit`, and again after SIGKILL. */
  readonly quitMs: number;
  readonly onStage?: (text: string) => void;
}

/** Poll, because QEMU is not our child: its lock is gone when it and its waiter are. */
const POLL_MS = 50;

/** For what lived as long as the VM to be taken back: a device that the host's driver sets up anew takes some seconds. */
export const TAKE_BACK_MS = 60_000;

/**
 * Resolves with the last status; rejects with QL_VM_WAIT when the VM still lives after `timeoutMs`. Once it is dead, what
 * is being taken back with it gets `takeBackMs`: until then nothing can be said to be left over.
 */
export async function waitForEnd(vm: VmStatus, timeoutMs: number, takeBackMs: number = 0): Promise<VmStatus> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const now = readStatus(vm.dir);
    if (now === undefined) return { ...vm, state: 'ended', reason: 'its directory was removed' };
    // What lived as long as the VM is being taken back: nobody should meet half of it.
    const guarded = waiterPid(vm.dir) !== undefined && performance.now() < end + takeBackMs;
    if (!alive(now) && !guarded) return now;
    if (alive(now) && performance.now() >= end)
      throw new QlaunchError('QL_VM_WAIT', EXIT.stuck, {
        what: `VM "${vm.record.name}" did not end within ${Math.round(timeoutMs / 1000)} s`,
        todo: [`qlaunch stop ${vm.record.name}`, `qlaunch kill ${vm.record.name}`],
      });
    await sleep(POLL_MS);
  }
}

async function ended(vm: VmStatus, timeoutMs: number): Promise<VmStatus | undefined> {
  return waitForEnd(vm, timeoutMs, TAKE_BACK_MS).catch(() => undefined);
}

/** A guest that was still booting has not heard the first press. */
export const PRESS_AGAIN_MS = 5_000;

/** What `stop` had to do. */
export interface Stopped {
  readonly vm: VmStatus;
  /** False: the guest did not shut itself down, QEMU was told to quit or killed. */
  readonly politely: boolean;
}

/** Power button, then `quit`, then SIGKILL. */
export async function stopVm(vm: VmStatus, options: StopOptions): Promise<Stopped> {
  const say = options.onStage ?? (() => {});
  if (!alive(vm)) return { vm, politely: true };
  const end = performance.now() + options.powerdownMs;
  let refusal: string | undefined;
  while (refusal === undefined && performance.now() < end) {
    refusal = await pressButton(vm, end);
    const done = await ended(vm, Math.max(0, Math.min(PRESS_AGAIN_MS, end - performance.now())));
    if (done) return { vm: done, politely: refusal === undefined };
  }
  say(refusal ?? `the guest did not power off within ${options.powerdownMs / 1000} s; telling QEMU to quit`);
  return { vm: await quitVm(vm, options), politely: false };
}

/** Between two tries at a monitor that another client holds. */
const RETRY_MS = 200;

/**
 * Tries until `end`: a monitor that is busy now may be free in a moment. Returns why QEMU could not; what went wrong on
 * our own side is thrown: it is no reason to take a healthy guest's power away.
 */
async function pressButton(vm: VmStatus, end: number): Promise<string | undefined> {
  for (;;) {
    try {
      const result = await withMonitor(vm, (qmp) => qmp.tryExecute('system_powerdown'));
      return result.ok
        ? undefined
        : `QEMU refused the power button (${result.error.desc}); telling it to quit`;
    } catch (error) {
      const busy = error instanceof QlaunchError && BUSY.includes(error.code);
      if (!alive(readStatus(vm.dir) ?? { ...vm, state: 'ended' })) return undefined;
      if (!busy) throw error;
      const why = error instanceof Error ? error.message : String(error);
      if (performance.now() >= end) return `cannot press the power button: ${why}; telling QEMU to quit`;
      await sleep(RETRY_MS);
    }
  }
}

const BUSY: readonly string[] = ['QL_QMP_BUSY', 'QL_LOCKED', 'QL_QMP_TIMEOUT', 'QL_QMP_UNREACHABLE'];

/** `quit`, then SIGKILL: for a guest that does not listen. */
async function quitVm(vm: VmStatus, options: StopOptions): Promise<VmStatus> {
  await withMonitor(vm, (qmp) => qmp.tryExecute('quit')).catch(() => undefined);
  const done = await ended(vm, options.quitMs);
  if (done) return done;
  options.onStage?.(`QEMU did not quit within ${options.quitMs / 1000} s; killing it`);
  return killVm(vm, options.quitMs);
}

/** SIGKILL to QEMU; its waiter records the end. */
export async function killVm(vm: VmStatus, deadlineMs: number): Promise<VmStatus> {
  const now = readStatus(vm.dir) ?? vm;
  if (!alive(now)) return now;
  // Without a pid QEMU is about to begin, or has just ended: then there is nothing to kill any more.
  if (now.pid === undefined) {
    const gone = await ended(vm, deadlineMs / 2);
    if (gone) return gone;
  }
  signalQemu(now.dir, 'SIGKILL');
  return waitForEnd(vm, deadlineMs, TAKE_BACK_MS);
}
