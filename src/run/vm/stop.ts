/** Ending a VM: politely first, each stage with its deadline. */
import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT, QlaunchError } from '../../errors.ts';
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

/** Resolves with the last status; rejects with QL_VM_WAIT when the VM still lives after `timeoutMs`. */
export async function waitForEnd(vm: VmStatus, timeoutMs: number): Promise<VmStatus> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const now = readStatus(vm.dir);
    if (now === undefined) return { ...vm, state: 'ended', reason: 'its directory was removed' };
    if (!alive(now)) return now;
    if (performance.now() >= end)
      throw new QlaunchError('QL_VM_WAIT', EXIT.stuck, {
        what: `VM "${vm.record.name}" did not end within ${Math.round(timeoutMs / 1000)} s`,
        todo: [`qlaunch stop ${vm.record.name}`, `qlaunch kill ${vm.record.name}`],
      });
    await sleep(POLL_MS);
  }
}

async function ended(vm: VmStatus, timeoutMs: number): Promise<VmStatus | undefined> {
  return waitForEnd(vm, timeoutMs).catch(() => undefined);
}

/** Power button, then `quit`, then SIGKILL. */
export async function stopVm(vm: VmStatus, options: StopOptions): Promise<VmStatus> {
  const say = options.onStage ?? (() => {});
  if (!alive(vm)) return vm;
  const asked = await withMonitor(vm, (qmp) => qmp.tryExecute('system_powerdown')).catch(() => undefined);
  if (asked?.ok) {
    const done = await ended(vm, options.powerdownMs);
    if (done) return done;
    say(`the guest did not power off within ${options.powerdownMs / 1000} s; telling QEMU to quit`);
  } else say('QEMU did not take the power button; telling it to quit');
  return quitVm(vm, options);
}

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
  signalQemu(now.dir, 'SIGKILL');
  return waitForEnd(vm, deadlineMs);
}
