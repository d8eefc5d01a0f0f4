/** Puts our hooks where QEMU looks for them, and takes them away again. */

import { EXIT, QlaunchError } from '../../errors.ts';
import { mayUse } from '../../host/vm/access.ts';
import type { HostFacts } from '../../plan/facts.ts';
import { backupPath, putTitle } from '../../plan/files.ts';
import { HOOKS, type InstallFacts, planInstall } from '../../plan/hook/install.ts';
import { shellLine } from '../../plan/shell.ts';
import type { FilePath, Plan } from '../../plan/step.ts';
import { execute, newId } from '../change/execute.ts';
import type { Left } from '../change/teardown.ts';
import type { Engine } from '../engine.ts';
import { refusedToRoot } from '../read-only.ts';
import { type OpenChange, openChanges, type Recovered, undoChange } from '../recover.ts';

const title = (directory: string): string => `install-hooks in ${directory}`;

export type InstallWish = Omit<InstallFacts, 'before'>;

async function requireDirectory({ machine }: Engine, directory: FilePath): Promise<void> {
  const there = await machine.stat(directory);
  if (there?.kind !== 'directory') {
    throw new QlaunchError('QL_NO_DIRECTORY', EXIT.refused, {
      what: `there is no directory ${directory}`,
      why: ['QEMU looks for its scripts in the "etc" of the prefix it was built with'],
      todo: [shellLine(['mkdir', '-p', directory]), 'qlaunch install-hooks --prefix DIR'],
    });
  }
}

/** Throws QL_NO_DIRECTORY (exit 3). */
export async function installPlan(engine: Engine, wish: InstallWish): Promise<Plan<HostFacts>> {
  await requireDirectory(engine, wish.directory);
  const [up, down] = await Promise.all(
    HOOKS.map((name) => engine.machine.capture(`${wish.directory}/${name}`)),
  );
  return planInstall({ ...wish, before: { 'qemu-ifup': up, 'qemu-ifdown': down } });
}

/** The id of the change; undefined when all was there already. Throws QL_NEEDS_ROOT (exit 3), QL_READ_ONLY (exit 4). */
export async function installHooks(engine: Engine, wish: InstallWish): Promise<string | undefined> {
  await requireDirectory(engine, wish.directory);
  if (!mayUse(wish.directory)) throw refusedToRoot(`${wish.directory}/qemu-ifup`) ?? noRights(wish.directory);
  return engine.locked(title(wish.directory), async () => {
    const plan = await installPlan(engine, wish);
    const id = newId(engine);
    const journal = await execute(engine, plan, {
      title: title(wish.directory),
      lifetime: { untilUndone: id },
      holder: 'until-undone',
      id,
    });
    return journal.entries.length === 0 ? undefined : id;
  });
}

const noRights = (directory: string): QlaunchError =>
  new QlaunchError('QL_NEEDS_ROOT', EXIT.refused, {
    what: `may not write in ${directory}`,
    why: ['what lies there is run by the QEMUs of all users'],
    todo: ['sudo qlaunch install-hooks', 'qlaunch install-hooks --dry-run'],
  });

/** Newest first: a later installation was made over an earlier one. */
export function installations(engine: Engine, directory: FilePath): readonly OpenChange[] {
  const isHere = ({ change }: OpenChange): boolean => change.journal?.head.title === title(directory);
  return openChanges(engine).filter(isHere).reverse();
}

/** A script by hand is put back from the copy beside it, which a person can look at first. */
async function fromBackup<One extends Left>(
  { machine }: Engine,
  directory: FilePath,
  left: One,
): Promise<One> {
  const path = HOOKS.map((name) => `${directory}/${name}`).find((hook) => left.title === putTitle(hook));
  if (path === undefined || (await machine.stat(backupPath(path))) === undefined) return left;
  return { ...left, byHand: shellLine(['mv', '-f', backupPath(path), path]) };
}

/** Stops at the first that can not be taken back wholly: the one below it would look changed. */
export async function uninstallHooks(engine: Engine, directory: FilePath): Promise<readonly Recovered[]> {
  const done: Recovered[] = [];
  for (const { change } of installations(engine, directory)) {
    const result = await undoChange(engine, change.id);
    done.push({
      ...result,
      left: await Promise.all(result.left.map((one) => fromBackup(engine, directory, one))),
    });
    if (result.exit !== EXIT.ok) break;
  }
  return done;
}
