/** What a start that came to nothing, or was killed halfway, left: directories that are no VM's. */
import { basename, join } from 'node:path';
import { QlaunchError } from '../../errors.ts';
import { withLock } from '../../host/flock.ts';
import { launcherPid, passtPids, qemuPid, waiterPid } from '../../host/vm/alive.ts';
import type { VmRoot } from '../../host/vm/dirs.ts';
import { hasRecord, isAnswered, isNamedByProcess, ownDirs, quietMs } from '../../host/vm/litter.ts';
import { listDirs, removeDir } from '../../host/vm/store.ts';
import { FILES } from '../../plan/vm/waiter.ts';
import { isReservedName } from '../../spec/vm/name.ts';
import type { VmStatus } from './status.ts';

/** A start makes its directory, then takes its lock, then writes its record: milliseconds. */
const YOUNG_MS = 60_000;

export interface LitterPlaces {
  /** Folders that hold one folder per VM. */
  readonly vms: readonly VmRoot[];
  /** Folders that hold the sockets of VMs whose own path is too long. */
  readonly sockets: readonly VmRoot[];
}

/**
 * Removes directories without a VM, older than a minute, and returns them.
 * @param kept whose directories stay
 */
export async function removeLitter(
  places: LitterPlaces,
  kept: readonly VmStatus[],
): Promise<readonly string[]> {
  const removed: string[] = [];
  for (const root of places.vms)
    for (const name of listDirs(root.dir)) {
      const dir = join(root.dir, name);
      if (!isReservedName(name) && (await removeEmptyPlace(dir))) removed.push(dir);
    }
  const known = new Set(kept.map(({ record }) => record.socketDir));
  for (const dir of places.sockets.flatMap((root) => ownDirs(root.dir, root.uid))) {
    if (known.has(dir) || !isOld(dir) || isNamedByProcess(dir) || (await isAnswered(dir))) continue;
    removeDir(dir);
    removed.push(dir);
  }
  return removed;
}

const isOld = (dir: string): boolean => (quietMs(dir) ?? 0) > YOUNG_MS;

async function removeEmptyPlace(dir: string): Promise<boolean> {
  if (!isOld(dir) || isInUse(dir)) return false;
  const order = { what: `remove ${basename(dir)}`, waitMs: 0, dir: 'private' } as const;
  try {
    return await withLock(join(dir, FILES.lock), order, async () => {
      if (isInUse(dir)) return false;
      removeDir(dir);
      return true;
    });
  } catch (error) {
    // Somebody is about to start there.
    if (error instanceof QlaunchError && error.code === 'QL_LOCKED') return false;
    throw error;
  }
}

function isInUse(dir: string): boolean {
  const pids = [qemuPid(dir), waiterPid(dir), launcherPid(dir), ...passtPids(dir)];
  return hasRecord(dir) || pids.some((pid) => pid !== undefined);
}
