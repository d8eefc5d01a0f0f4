/** Which VMs there are and how they are, from their directories and /proc. */
import { join } from 'node:path';
import { EXIT, QlaunchError } from '../../errors.ts';
import { cutOff, launcherPid, passtPids, qemuPid, waiterPid } from '../../host/vm/alive.ts';
import { damagedRecord } from '../../host/vm/damaged.ts';
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
  /** One line for people: why it is not running, or what is wrong with it. */
  readonly reason?: string;
  /** Its record can not be read: what stands here of it is what else tells of it, and little of it. */
  readonly damaged?: true;
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
  if (record !== undefined) return statusOf(dir, record);
  const damaged = damagedRecord(dir);
  if (damaged === undefined) return undefined;
  const status = statusOf(dir, damaged);
  const why = `its record ${join(dir, FILES.record)} can not be read`;
  return { ...status, damaged: true, reason: status.reason === undefined ? why : `${status.reason}; ${why}` };
}

function statusOf(dir: string, record: VmRecord): VmStatus {
  // Written when QEMU has ended, and removed before it is started: nothing else needs to be looked at then.
  let text = readText(join(dir, FILES.exit));
  if (text === undefined) {
    const pid = qemuPid(dir);
    if (pid !== undefined) return { dir, record, state: 'running', pid, ...withoutNetwork(dir, record) };
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

function withoutNetwork(dir: string, { nics }: VmRecord): { readonly reason?: string } {
  const dead = nics.some(({ mode }) => mode === 'passt') ? cutOff(dir) : [];
  if (dead.length === 0) return {};
  return {
    reason: `no network at ${dead.join(', ')}: passt has ended; it comes back when the VM is started again`,
  };
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

/**
 * The VM of that name, or of that directory; among several users' VMs (root sees all) `USER-ID/NAME` tells which. The
 * running one is meant, and ours before others'. Throws QL_VM_UNKNOWN, QL_VM_AMBIGUOUS (exit 2).
 */
export function findVm(name: string, who: Identity, env: NodeJS.ProcessEnv): VmStatus {
  const all = listVms(who, env);
  const found = all.filter(({ record, dir }) =>
    [record.name, `${record.uid}/${record.name}`, dir].includes(name),
  );
  const [vm, ...others] = meant(found, who.user.uid);
  if (vm !== undefined && others.length === 0) return vm;
  if (vm !== undefined) {
    const same = [vm, ...others];
    throw new QlaunchError('QL_VM_AMBIGUOUS', EXIT.usage, {
      what: `"${name}" may be any of ${same.length} VMs`,
      why: same.map(
        (one) =>
          `${one.state}${one.pid === undefined ? '' : ` (pid ${one.pid})`}, of uid ${one.record.uid}: ${one.dir}`,
      ),
      todo: same.map((one) => `qlaunch … ${selectorOf(one, same)}`),
    });
  }
  const names = all.map(({ record }) => record.name);
  throw new QlaunchError('QL_VM_UNKNOWN', EXIT.usage, {
    what: `there is no VM "${name}"`,
    why: names.length > 0 ? [`known: ${names.join(', ')}`] : ['no VM of this boot is known'],
    todo: ['qlaunch ps'],
  });
}

/** One, when it is clear. An old record of ours does not stand for what somebody runs. */
function meant(found: readonly VmStatus[], uid: number): readonly VmStatus[] {
  const mine = found.filter(({ record }) => record.uid === uid);
  const running = found.filter(alive);
  const myRunning = mine.filter(alive);
  if (myRunning.length > 0) return myRunning;
  if (running.length > 0) return [...mine, ...running];
  return mine.length > 0 ? mine : found;
}

/** The shortest that tells it from the others. */
export function selectorOf({ record, dir }: VmStatus, all: readonly VmStatus[]): string {
  const { uid, name } = record;
  const namesakes = all.filter((other) => other.record.name === name && other.dir !== dir);
  if (namesakes.some((other) => other.record.uid === uid)) return dir;
  return namesakes.length > 0 ? `${uid}/${name}` : name;
}

export function alive(vm: VmStatus): boolean {
  return vm.state === 'running' || vm.state === 'starting';
}
