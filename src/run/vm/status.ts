/** Which VMs there are and how they are, from their directories and /proc. */
import { join } from 'node:path';
import { EXIT, QlaunchError } from '../../errors.ts';
import { launcherPid, passtPids, qemuPid, waiterPid } from '../../host/vm/alive.ts';
import { visibleVmRoots } from '../../host/vm/dirs.ts';
import { listDirs, readRecord, readTail, readText, type VmRecord } from '../../host/vm/store.ts';
import type { Identity } from '../../host/vm/user.ts';
import { FILES } from '../../plan/vm/waiter.ts';

type VmState = 'running' | 'starting' | 'ended' | 'failed' | 'lost';

export interface VmStatus {
  readonly dir: string;
  readonly record: VmRecord;
  readonly state: VmState;
  /** QEMU's, while it runs. */
  readonly pid?: number;
  /** QEMU's exit status as a shell tells it (128 + signal), once it ended. */
  readonly exit?: number;
  /** One line for people: why it is not running. */
  readonly reason?: string;
}

export function listVms(who: Identity, env: NodeJS.ProcessEnv): readonly VmStatus[] {
  return visibleVmRoots(who, env).flatMap((root) =>
    listDirs(root).flatMap((name) => {
      const status = readStatus(join(root, name));
      return status === undefined ? [] : [status];
    }),
  );
}

/** undefined: nothing in `dir` that is a VM's. */
export function readStatus(dir: string): VmStatus | undefined {
  const record = readRecord(dir);
  if (record === undefined) return undefined;
  // Written when QEMU has ended, and removed before it is started: nothing else needs to be looked at then.
  let text = readText(join(dir, FILES.exit));
  if (text === undefined) {
    const pid = qemuPid(dir);
    if (pid !== undefined) return { dir, record, state: 'running', pid };
    // QEMU has no pid file yet, or has just ended and its waiter is about to say how; a launcher that leaves has
    // started the waiter meanwhile.
    const waited = waiterPid(dir) ?? launcherPid(dir) ?? waiterPid(dir);
    if (waited !== undefined) return { dir, record, state: 'starting' };
    // Both may have ended between the first look and the others.
    text = readText(join(dir, FILES.exit));
  }
  if (text === undefined) {
    return { dir, record, state: 'lost', reason: lost(dir) };
  }
  const exit = Number(text);
  if (exit === 0) return { dir, record, state: 'ended', exit, reason: 'shut down' };
  return { dir, record, state: 'failed', exit, reason: failure(exit, dir) };
}

function lost(dir: string): string {
  const passts = passtPids(dir);
  if (passts.length > 0)
    return `its start was interrupted; passt still runs (pid ${passts.join(', ')}): qlaunch recover`;
  if (readText(join(dir, FILES.waiter)) === undefined) return 'its start was interrupted';
  return 'ended together with its waiter (killed, or the machine ran out of memory); its exit status is not known';
}

function failure(exit: number, dir: string): string {
  if (exit > 128) return `killed by signal ${exit - 128}`;
  const last = (readTail(join(dir, FILES.qemuLog)) ?? '').trimEnd().split('\n').at(-1) ?? '';
  return last === '' ? `QEMU exited with ${exit}` : last;
}

/** The VM of that name; among several users' VMs (root sees all) `USER-ID/NAME` tells which. */
export function findVm(name: string, who: Identity, env: NodeJS.ProcessEnv): VmStatus {
  const all = listVms(who, env);
  const found = all.filter(({ record }) => record.name === name || `${record.uid}/${record.name}` === name);
  const mine = found.find(({ record }) => record.uid === who.user.uid);
  const vm = found.length === 1 ? found[0] : mine;
  if (vm !== undefined) return vm;
  if (found.length > 1)
    throw new QlaunchError('QL_VM_AMBIGUOUS', EXIT.usage, {
      what: `several users have a VM "${name}"`,
      todo: found.map(({ record }) => `qlaunch … ${record.uid}/${record.name}`),
    });
  const names = all.map(({ record }) => record.name);
  throw new QlaunchError('QL_VM_UNKNOWN', EXIT.usage, {
    what: `there is no VM "${name}"`,
    why: names.length > 0 ? [`known: ${names.join(', ')}`] : ['no VM was started since the machine booted'],
    todo: ['qlaunch ps'],
  });
}

export function alive(vm: VmStatus): boolean {
  return vm.state === 'running' || vm.state === 'starting';
}
