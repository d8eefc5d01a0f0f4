/** A name and a directory for a VM, held by a lock that its QEMU inherits. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT, QlaunchError } from '../../errors.ts';
import { holdLock, type Lock, type LockOrder } from '../../host/flock.ts';
import { makePrivateDir, type VmDirs } from '../../host/vm/dirs.ts';
import { endPassts } from '../../host/vm/signal.ts';
import { removeFiles } from '../../host/vm/store.ts';
import type { Identity } from '../../host/vm/user.ts';
import { FILES } from '../../plan/vm/waiter.ts';
import { alive, readStatus } from './status.ts';

export interface Place {
  readonly name: string;
  readonly dir: string;
  readonly socketDir: string;
}

export interface NameWish {
  readonly name: string;
  readonly given: boolean;
  readonly identity: string;
}

const SUFFIXES = 100;
const GUARD_MS = 10_000;
const POLL_MS = 50;

/**
 * A default name that a living VM of another image has gets a suffix (`web-2`). The same image twice, or a given
 * name twice, is refused: throws QL_VM_RUNNING.
 */
export function choosePlace(wish: NameWish, dirs: VmDirs): Place {
  for (let n = 1; n <= SUFFIXES; n += 1) {
    const name = n === 1 ? wish.name : `${wish.name}-${n}`;
    const place = { name, dir: join(dirs.root, name), socketDir: join(dirs.socketRoot, name) };
    const vm = readStatus(place.dir);
    if (vm === undefined || !alive(vm)) return place;
    if (wish.given || vm.record.identity === wish.identity)
      throw running(name, [
        `it was started at ${vm.record.startedAt}${vm.pid === undefined ? '' : ` as process ${vm.pid}`}`,
      ]);
  }
  throw new QlaunchError('QL_VM_RUNNING', EXIT.refused, {
    what: `no free name like "${wish.name}"`,
    todo: ['qlaunch … --name ANOTHER'],
  });
}

/** An ended VM's guard may be at work still: that is waited for. A start that was quicker than ours is not. */
async function firstLock(place: Place, order: LockOrder): Promise<Lock> {
  const end = performance.now() + GUARD_MS;
  for (;;) {
    try {
      return await holdLock(join(place.dir, FILES.lock), order);
    } catch (error) {
      if (!(error instanceof QlaunchError) || error.code !== 'QL_LOCKED') throw error;
      const vm = readStatus(place.dir);
      const ending = vm !== undefined && !alive(vm) && vm.state !== 'lost';
      if (!ending || performance.now() >= end) throw running(place.name, error.why);
      await sleep(POLL_MS);
    }
  }
}

function running(name: string, why: readonly string[]): QlaunchError {
  return new QlaunchError('QL_VM_RUNNING', EXIT.refused, {
    what: `a VM "${name}" is running already`,
    why,
    todo: [`qlaunch stop ${name}`, 'qlaunch … --name ANOTHER'],
  });
}

/** As root: the parents are root's, the VM's own directory is its user's. */
export function makePlace(place: Place, who: Identity): void {
  for (const dir of new Set([place.dir, place.socketDir])) makePrivateDir(dir, who);
}

/** Takes the lock, and clears what an earlier VM of that name left. Errors: QL_VM_RUNNING. */
export async function takePlace(place: Place): Promise<Lock> {
  const order = { what: `VM ${place.name}`, waitMs: 0, dir: 'private' } as const;
  const lock = await firstLock(place, order);
  endPassts(place.dir);
  for (const dir of new Set([place.dir, place.socketDir])) removeFiles(dir, (file) => !file.endsWith('lock'));
  return lock;
}
