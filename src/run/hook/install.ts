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

/** Throws QL_NO_DIRECTORY (exit 3). */
export async function installPlan({ machine }: Engine, wish: InstallWish): Promise<Plan<HostFacts>> {
  const there = await machine.stat(wish.directory);
  if (there?.kind !== 'directory') {
    throw new QlaunchError('QL_NO_DIRECTORY', EXIT.refused, {
      what: `there is no directory ${wish.directory}`,
      why: ['QEMU looks for its scripts in the "etc" of the prefix it was built with'],
      todo: [shellLine(['mkdir', '-p', wish.directory]), 'qlaunch install-hooks --prefix DIR'],
    });
  }
  const [up, down] = await Promise.all(HOOKS.map((name) => machine.capture(`${wish.directory}/${name}`)));
  return planInstall({ ...wish, before: { 'qemu-ifup': up, 'qemu-ifdown': down } });
}

/** The id of the change; undefined when all was there already. Throws QL_NO_RIGHTS (exit 4). */
export function installHooks(engine: Engine, wish: InstallWish): Promise<string | undefined> {
  return engine.locked(title(wish.directory), async () => {
    const plan = await installPlan(engine, wish);
    if (!mayUse(wish.directory)) {
      throw (
        refusedToRoot(`${wish.directory}/qemu-ifup`) ??
        new QlaunchError('QL_NO_RIGHTS', EXIT.host, {
          what: `may not write in ${wish.directory}`,
          why: ['what lies there is run by the QEMUs of all users'],
          todo: ['sudo qlaunch install-hooks', 'qlaunch install-hooks --dry-run'],
        })
      );
    }
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
