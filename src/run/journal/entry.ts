/** What a journal holds. Format 2; older ones are brought up in upgrade.ts. */
import type { ProcessId } from '../../host/port.ts';
import type { Lifetime } from '../../plan/lifetime.ts';
import type { Owns, SettledUndo } from '../../plan/undo.ts';

export const FORMAT = 2;

export type EntryState =
  /** Journaled; whether the change was made is not known. */
  | 'intent'
  | 'done'
  /** Refused: never made, never undone. */
  | 'dropped'
  /** Killed or timed out. */
  | 'unsure'
  | 'undone'
  /** Its undo did not end in time. */
  | 'stuck';

export interface Entry {
  /** Order over both journals of one change; undone from the highest. */
  readonly n: number;
  readonly title: string;
  readonly undo: SettledUndo;
  /** The undo as text for sh, readable by any version. */
  readonly byHand: string;
  readonly owns?: Owns;
  readonly deadlineMs: number;
  readonly state: EntryState;
}

/** Volatile: kernel state, void when the boot id differs. Durable: files under /etc and /var. */
export type Place = 'volatile' | 'durable';

/** Whose life keeps the change: a process, or only a command. null: nobody's yet. */
export type Holder = ProcessId | 'until-undone' | null;

export interface Head {
  readonly v: typeof FORMAT;
  /** "qlaunch 0.1.0" */
  readonly tool: string;
  readonly id: string;
  readonly title: string;
  readonly place: Place;
  readonly bootId: string;
  readonly netns: string;
  readonly lifetime: Lifetime;
  /** Who changes things now. */
  readonly actor: ProcessId;
  readonly holder: Holder;
  /** The plan was carried out to its end. */
  readonly complete: boolean;
  /** Milliseconds since 1970. */
  readonly sinceMs: number;
}

export interface JournalFile {
  readonly head: Head;
  readonly entries: readonly Entry[];
}

/** Something in this entry may still be in place. */
export const isOpen = (entry: Entry): boolean => entry.state !== 'dropped' && entry.state !== 'undone';
