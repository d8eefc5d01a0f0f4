/** What starts that were cut short have left beside the journals. */
import { passtPids } from '../../host/vm/alive.ts';
import { endPassts } from '../../host/vm/signal.ts';
import type { VmStatus } from './status.ts';

export interface Reaped {
  readonly vm: VmStatus;
  /** passts that waited for a QEMU that never came. */
  readonly pids: readonly number[];
}

/** Touches nothing of a VM that lives, is being started, or has ended in order. */
export function reapVms(vms: readonly VmStatus[]): readonly Reaped[] {
  return lost(vms, endPassts);
}

/** What reapVms() would end. */
export function planReaping(vms: readonly VmStatus[]): readonly Reaped[] {
  return lost(vms, passtPids);
}

function lost(vms: readonly VmStatus[], pidsOf: (dir: string) => readonly number[]): readonly Reaped[] {
  return vms
    .filter(({ state }) => state === 'lost')
    .map((vm) => ({ vm, pids: pidsOf(vm.dir) }))
    .filter(({ pids }) => pids.length > 0);
}
