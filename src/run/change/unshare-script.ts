/** Leaving a shared attribute, as sh: only where nobody else is in the record, now and when the script runs. */
import { createHash } from 'node:crypto';
import { shellLine, shellWord } from '../../plan/shell.ts';
import { ALONG, IPV6_FORWARD, isAcceptRa } from '../../plan/sysctl.ts';
import type { SettledOf } from '../../plan/undo.ts';
import type { Engine } from '../engine.ts';
import { otherForwarders } from './forwarders.ts';
import { recordOf, recordPath } from './shared.ts';

/** With other users, or a module, it is left to `qlaunch recover`, which can edit the record. */
export async function renderUnshare(
  undo: SettledOf<'unshare'>,
  engine: Engine,
  seconds: string,
  keep: string,
): Promise<string> {
  const found = recordOf(undo.unshare, engine);
  // Journaled and not begun, or begun a moment later than this look: then recover knows more.
  if (found === undefined) return `[ ! -e ${shellWord(recordPath(undo.unshare, engine))} ] || ${keep}`;
  const { record, text, path: file } = found;
  const path = undo.unshare.startsWith('attribute ') ? undo.unshare.slice('attribute '.length) : undefined;
  const alone = record.users.every((user) => user === undo.user) && record.restoring === undefined;
  if (path === undefined || !alone) return keep;
  const others = path in ALONG ? await otherForwarders(engine.machine) : [];
  if (others.length > 0)
    return `say ${shellWord(`left as it is: ${path} is needed by ${others.join(', ')}`)}`;
  const hash = createHash('sha256').update(text).digest('hex');
  const prior = record.prior[path] ?? record.value;
  const along = Object.entries(record.prior).filter(([one]) => one !== path);
  return [
    `if is_content ${shellWord(file)} ${hash}; then`,
    // First ours, which drags the others along, then those that were otherwise before.
    `  if [ "$(words "$(cat ${shellWord(path)})")" = ${shellWord(record.value)} ]${isAcceptRa(path) ? ` && [ "$(cat ${IPV6_FORWARD})" != 1 ]` : ''}; then`,
    `    ${shellLine(['put_back', seconds, path, prior, record.value])} || ${keep}`,
    ...along.map(
      ([one, value]) =>
        `    [ ! -e ${shellWord(one)} ] || [ "$(cat ${shellWord(one)})" = ${shellWord(value)} ] || ${shellLine(['write', seconds, one, value])} || ${keep}`,
    ),
    '  fi',
    `  rm -f ${shellWord(file)}`,
    `elif [ -e ${shellWord(file)} ]; then ${keep}; fi`,
  ].join('\n');
}
