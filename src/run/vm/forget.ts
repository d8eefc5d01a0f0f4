/** Removing what an ended VM left: its logs and its directories. */
import { join } from 'node:path';
import { withLock } from '../../host/flock.ts';
import { endPassts } from '../../host/vm/signal.ts';
import { removeDir } from '../../host/vm/store.ts';
import { FILES } from '../../plan/vm/waiter.ts';
import { alive, readStatus, type VmStatus } from './status.ts';

/** Under the VM's lock, so that a start of the same name is not met halfway. False: it lives (again), and stays. */
export async function forgetVm(vm: VmStatus): Promise<boolean> {
  const order = { what: `forget VM ${vm.record.name}`, waitMs: 0, dir: 'private' } as const;
  return withLock(join(vm.dir, FILES.lock), order, async () => {
    const now = readStatus(vm.dir);
    if (now === undefined || alive(now)) return false;
    endPassts(vm.dir);
    if (now.record.socketDir !== vm.dir) removeDir(now.record.socketDir);
    removeDir(vm.dir);
    return true;
  });
}
