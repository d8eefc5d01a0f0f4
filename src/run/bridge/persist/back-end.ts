/** What every network manager is asked and told. */
import type { Machine } from '../../../host/port.ts';
import type { Claim } from '../../../plan/bridge/persist/choose.ts';
import type { KeptFile, PersistWish } from '../../../plan/bridge/persist/wish.ts';
import { makeDirectory, putFile } from '../../../plan/files.ts';
import type { FilePath, Step } from '../../../plan/step.ts';

export interface Nic {
  readonly name: string;
  readonly mac?: string;
  readonly ifindex: number;
}

export interface Manager {
  /** undefined: it has nothing to do with this NIC; without one: with this host. */
  claim(machine: Machine, nic?: Nic): Promise<Omit<Claim, 'backEnd'> | undefined>;
  /** All are durable: with an uplink they wait for the confirmation. Throws QL_PERSIST (exit 3). */
  steps(machine: Machine, wish: PersistWish, nic?: Nic): Promise<readonly Step[]>;
}

/** One that was there keeps its mode, owner and attributes. */
export async function keepFiles(
  machine: Pick<Machine, 'stat' | 'capture'>,
  files: readonly KeptFile[],
): Promise<readonly Step[]> {
  const steps: Step[] = [];
  for (const { path, content, mode } of files) {
    const dir = path.slice(0, path.lastIndexOf('/')) as FilePath;
    const isMade = steps.some((step) => 'mkdir' in step.do && step.do.mkdir === dir);
    if (!isMade && (await machine.stat(dir)) === undefined) steps.push(makeDirectory(dir));
    const before = await machine.capture(path);
    const kept =
      before !== undefined && 'content' in before ? { mode: before.mode, owner: before.owner } : undefined;
    const step = putFile({
      ...{ path: path as FilePath, content },
      ...(kept ?? (mode === undefined ? {} : { mode })),
    });
    steps.push({ ...step, do: { ...step.do, keep: true } as Step['do'] });
  }
  return steps;
}
