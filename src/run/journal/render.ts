/** A journal file as text. Apart from reading one, which the hooks as a rule do not. */
import type { JournalFile } from './entry.ts';
import { seal } from './seal.ts';

export function renderJournal(file: JournalFile): string {
  return seal([file.head, ...file.entries]);
}
