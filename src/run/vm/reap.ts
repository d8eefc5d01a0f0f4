/** What starts that were cut short have left beside the journals. */
import { endPassts } from '../../host/vm/signal.ts';
import type { VmStatus } from './status.ts';

export interface Reaped {
  readonly vm: VmStatus;
  /** passts that waited for a QEMU that never came. */
  readonly pids: readonly number[];
}

/** Touches nothing of a VM that lives, is being started, or has ended in order. */
export function reapVms(vms: readonly VmStatus[]): readonly Reaped[] {
  return vms
    .filter(({ state }) => state === 'lost')
    .map((vm) => ({ vm, pids: endPassts(vm.dir) }))
    .filter(({ pids }) => pids.length > 0);
}
