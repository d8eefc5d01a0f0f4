/** qlaunch bridge confirm | revert. */
import { EXIT } from '../../errors.ts';
import { trialOf } from '../../run/bridge/made.ts';
import { editedSince } from '../../run/bridge/resolv-conf.ts';
import { confirmChange } from '../../run/confirm/confirm.ts';
import { revertTrial } from '../../run/confirm/revert.ts';
import { told } from '../changes.ts';
import { requireRoot } from '../root.ts';
import { note } from '../terminal.ts';
import { engineNow, ROOTS } from './made.ts';

export async function confirm(name: string | undefined): Promise<number> {
  requireRoot(ROOTS);
  const engine = engineNow();
  const { id, bridge } = trialOf(engine, name);
  const { entries } = await confirmChange(engine, id);
  const written = entries.flatMap(({ undo }) =>
    'unfile' in undo && undo.unfile.startsWith('/etc/') ? [undo.unfile] : [],
  );
  const how = written.length === 0 ? 'until the next boot' : `and made at every boot (${written.join(', ')})`;
  note(`${bridge} is kept, ${how}\n  undo   sudo qlaunch bridge delete ${bridge}`);
  return EXIT.ok;
}

export async function revert(
  name: string | undefined,
  options: { readonly json?: boolean },
): Promise<number> {
  requireRoot(ROOTS);
  const engine = engineNow();
  const { id } = trialOf(engine, name);
  const edited = await editedSince(engine, id);
  const result = await revertTrial(engine, id);
  return told({ ...result, said: [...result.said, ...edited] }, options);
}
