/** Journal files, read. What can not be fully believed is not a journal, only lines to print. */

import { entryProblem, type Fields, headProblem, isRecord } from './check.ts';
import { type Entry, FORMAT, type Head, type JournalFile } from './entry.ts';
import { unseal } from './seal.ts';
import { UPGRADES } from './upgrade.ts';

export type Parsed =
  | { readonly kind: 'journal'; readonly file: JournalFile }
  /** Touch nothing. `byHand`: the undo lines that are whole, newest first. */
  | {
      readonly kind: 'damaged' | 'unknown';
      readonly why: string;
      readonly bootId?: string;
      readonly byHand: readonly string[];
    };

/** `id` is what the file is called: a journal under another name is not believed. */
export function parseJournal(text: string, id: string): Parsed {
  const { records, damage } = unseal(text);
  const [head, ...rest] = records.filter(isRecord);
  const version = head?.['v'];
  const bootId = typeof head?.['bootId'] === 'string' ? { bootId: head['bootId'] } : {};
  const byHand = rest.flatMap(undoLine).reverse();
  if (damage !== undefined) return { kind: 'damaged', why: damage, byHand, ...bootId };
  if (head === undefined) return { kind: 'damaged', why: 'it is empty', byHand };
  if (
    typeof version !== 'number' ||
    version > FORMAT ||
    (version < FORMAT && UPGRADES[version] === undefined)
  ) {
    return {
      kind: 'unknown',
      why: `its format is ${String(version)}; this version knows 1 to ${FORMAT}`,
      byHand,
      ...bootId,
    };
  }
  let file: { head: Record<string, unknown>; entries: Record<string, unknown>[] } = { head, entries: rest };
  for (let v = version; v < FORMAT; v += 1) file = UPGRADES[v]?.(file) ?? file;
  const why =
    headProblem(file.head, id) ?? file.entries.map(entryProblem).find((problem) => problem !== undefined);
  if (why !== undefined) return { kind: 'unknown', why, byHand, ...bootId };
  return {
    kind: 'journal',
    file: { head: file.head as unknown as Head, entries: file.entries as unknown as Entry[] },
  };
}

/** Of a step that was refused or taken back already, the undo would hit somebody else's. */
function undoLine({ byHand, state }: Fields): readonly string[] {
  const isOver = state === 'dropped' || state === 'undone';
  return typeof byHand === 'string' && !isOver && !byHand.startsWith(': ') ? [byHand] : [];
}
