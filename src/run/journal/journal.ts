/**
 * The journal of one change: up to two files of the same name, one per place. Every call is on the disk when it
 * returns. Each file is replaced as a whole, so a kill never leaves a torn one, and any damage shows.
 */
import type { ProcessId, Store } from '../../host/port.ts';
import {
  type Entry,
  type EntryState,
  type Head,
  type Holder,
  isOpen,
  type JournalFile,
  type Place,
} from './entry.ts';
import { renderJournal } from './render.ts';

export interface Stores {
  readonly volatile: Store;
  readonly durable: Store;
}

export type NewEntry = Omit<Entry, 'n' | 'state'> & { readonly place: Place };

export interface EntryChange {
  readonly n: number;
  readonly state?: EntryState;
  readonly undo?: Entry['undo'];
  readonly byHand?: string;
}

/** Which of the two places is written first when both must agree: the one that outlives a crash comes last. */
const PLACES: readonly Place[] = ['volatile', 'durable'];

export class Journal {
  #files: Map<Place, JournalFile>;
  readonly #stores: Stores;
  #head: Omit<Head, 'place'>;

  /** A new one; nothing is written before the first entry. */
  static create(stores: Stores, head: Omit<Head, 'place'>): Journal {
    return new Journal(stores, head, new Map());
  }

  static reopen(stores: Stores, files: readonly JournalFile[]): Journal {
    const [first] = files;
    if (first === undefined) throw new TypeError('no journal to reopen');
    return new Journal(stores, first.head, new Map(files.map((file) => [file.head.place, file])));
  }

  private constructor(stores: Stores, head: Omit<Head, 'place'>, files: Map<Place, JournalFile>) {
    this.#stores = stores;
    this.#head = head;
    this.#files = files;
  }

  /** Of both places; a change is complete when all of it is. */
  get head(): Omit<Head, 'place'> {
    const heads = [...this.#files.values()].map((file) => file.head);
    return heads.find((head) => !head.complete) ?? heads[0] ?? this.#head;
  }

  /** Oldest first. */
  get entries(): readonly Entry[] {
    return [...this.#files.values()].flatMap((file) => file.entries).sort((a, b) => a.n - b.n);
  }

  /** Newest first: the order of taking back. */
  get open(): readonly Entry[] {
    return this.entries.filter(isOpen).reverse();
  }

  /** Write-ahead: what is about to be done, with its undo. */
  intend(news: readonly NewEntry[]): readonly Entry[] {
    let n = Math.max(0, ...this.entries.map((entry) => entry.n));
    const added = news.map(({ place, ...entry }) => {
      n += 1;
      return { place, entry: { ...entry, n, state: 'intent' as const } };
    });
    for (const place of PLACES) {
      const mine = added.filter((one) => one.place === place).map((one) => one.entry);
      const file = this.#files.get(place) ?? { head: { ...this.head, place }, entries: [] };
      if (mine.length > 0) this.#write(place, { ...file, entries: [...file.entries, ...mine] });
    }
    return added.map((one) => one.entry);
  }

  change(changes: readonly EntryChange[]): void {
    const byNumber = new Map(changes.map((change) => [change.n, change]));
    for (const place of PLACES) {
      const file = this.#files.get(place);
      if (file === undefined || !file.entries.some((entry) => byNumber.has(entry.n))) continue;
      this.#write(place, {
        ...file,
        entries: file.entries.map((entry) => ({ ...entry, ...byNumber.get(entry.n) })),
      });
    }
  }

  complete(): void {
    this.#rewriteHeads({ complete: true });
  }

  /** `actor` takes it back from now on: whatever kept it no longer does, and if he is killed the next one goes on. */
  adopt(actor: ProcessId): void {
    this.#rewriteHeads({ actor, complete: false });
  }

  hold(holder: Holder): void {
    this.#rewriteHeads({ holder });
  }

  /** Nothing of it is left. */
  close(): void {
    for (const place of [...PLACES].reverse()) {
      if (this.#files.has(place)) this.#stores[place].remove(fileName(this.#head.id));
      this.#files.delete(place);
    }
  }

  #rewriteHeads(part: Partial<Omit<Head, 'place'>>): void {
    this.#head = { ...this.#head, ...part };
    for (const place of PLACES) {
      const file = this.#files.get(place);
      if (file !== undefined) this.#write(place, { ...file, head: { ...file.head, ...part } });
    }
  }

  #write(place: Place, file: JournalFile): void {
    this.#stores[place].replace(fileName(this.#head.id), renderJournal(file));
    this.#files.set(place, file);
  }
}

const EXTENSION = '.journal';
export const fileName = (id: string): string => `${id}${EXTENSION}`;
export const idOf = (name: string): string | undefined =>
  name.endsWith(EXTENSION) ? name.slice(0, -EXTENSION.length) : undefined;
