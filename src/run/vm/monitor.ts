/** The command monitor of a running VM: QMP serves one client at a time, so callers queue on a lock. */
import { join } from 'node:path';
import { EXIT, QlaunchError } from '../../errors.ts';
import { withLock } from '../../host/flock.ts';
import { FILES } from '../../plan/vm/waiter.ts';
import type { QmpClient } from '../qmp/client.ts';
import { connectQmp } from '../qmp/connect.ts';
import { alive, type VmStatus } from './status.ts';

/** How long to queue behind another qlaunch command on the same VM. */
const QUEUE_MS = 15_000;

export function withMonitor<T>(vm: VmStatus, work: (qmp: QmpClient) => Promise<T>): Promise<T> {
  return whileCommanding(vm, `a QMP command for ${vm.record.name}`, async () => {
    const qmp = await connectQmp(join(vm.record.socketDir, FILES.command));
    try {
      return await work(qmp);
    } finally {
      await qmp.close();
    }
  });
}

/** No other command of ours is at this VM meanwhile. Throws QL_VM_NOT_RUNNING (exit 3). */
export async function whileCommanding<T>(vm: VmStatus, what: string, work: () => Promise<T>): Promise<T> {
  if (!alive(vm))
    throw new QlaunchError('QL_VM_NOT_RUNNING', EXIT.refused, {
      what: `VM "${vm.record.name}" is not running`,
      why: [vm.reason ?? vm.state],
      todo: [`qlaunch logs ${vm.record.name}`],
    });
  return withLock(join(vm.dir, FILES.commandLock), { what, waitMs: QUEUE_MS, dir: 'private' }, work);
}
