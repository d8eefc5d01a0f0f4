/** A change that ends with a VM, taken back by the VM's guard without us. */
import type { ProcessId } from '../../host/port.ts';
import type { Engine } from '../engine.ts';
import type { Journal } from '../journal/journal.ts';
import { loadChange } from '../journal/load.ts';
import { renderUndoScript } from './undo-script.ts';

/** The guard waits for the host lock, and leaves the rest to `recover` when it does not get it. */
const LOCK_SECONDS = 60;

const scriptOf = (journal: Journal): string => `${journal.head.id}.sh`;

/** Where the guard finds it. */
export const undoPath = (engine: Engine, journal: Journal): string => engine.undo.path(scriptOf(journal));

/**
 * `holder` keeps the change from now on. The script knows the journal as it is now, so it is rendered after each change
 * of it.
 */
export async function entrust(engine: Engine, journal: Journal, holder: ProcessId): Promise<void> {
  journal.hold(holder);
  const lock = { path: engine.lockPath, waitSeconds: LOCK_SECONDS, insist: false };
  engine.undo.replace(scriptOf(journal), await renderUndoScript(engine, journal, { lock }));
}

/** Scripts of changes that are taken back already. */
export function forgetScripts(engine: Engine): void {
  const ids = new Set(engine.undo.list().map((name) => name.split('.')[0] ?? ''));
  for (const id of ids) {
    const { journal, trouble } = loadChange(engine.stores, engine.world, id);
    if (journal !== undefined || trouble !== undefined) continue;
    for (const name of [`${id}.sh`, `${id}.sh.log`]) engine.undo.remove(name);
  }
}
