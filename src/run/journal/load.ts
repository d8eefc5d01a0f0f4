/** All changes of the host that are open, as their journals tell. */
import type { World } from '../../host/port.ts';
import type { Place } from './entry.ts';
import { type Parsed, parseJournal } from './format.ts';
import { fileName, idOf, Journal, type Stores } from './journal.ts';

interface Trouble {
  readonly kind: 'damaged' | 'unknown';
  readonly path: string;
  readonly why: string;
  readonly byHand: readonly string[];
  /** What to type: `byHand`, then what sets a damaged journal aside. One that a newer version wrote is that one's. */
  readonly cure: readonly string[];
}

export interface Change {
  readonly id: string;
  /** Absent when one of its files can not be believed: then none is. */
  readonly journal?: Journal;
  readonly trouble?: Trouble;
  /** Its volatile part is of an earlier boot: the kernel forgot it. */
  readonly voided: boolean;
}

/** Oldest first; those that can not be read come last. */
export function loadChanges(stores: Stores, world: World): readonly Change[] {
  const names = [...stores.volatile.list(), ...stores.durable.list()];
  const ids = [...new Set(names.flatMap((name) => idOf(name) ?? []))];
  const since = (change: Change): number => change.journal?.head.sinceMs ?? Number.POSITIVE_INFINITY;
  return ids.map((id) => loadChange(stores, world, id)).sort((a, b) => since(a) - since(b));
}

export function loadChange(stores: Stores, world: World, id: string): Change {
  const read = (place: Place): Parsed | undefined => {
    const text = stores[place].read(fileName(id));
    if (text === undefined) return undefined;
    const parsed = parseJournal(text, id);
    if (parsed.kind !== 'journal' || parsed.file.head.place === place) return parsed;
    return { kind: 'damaged', why: `it belongs among the ${parsed.file.head.place} ones`, byHand: [] };
  };
  const volatile = read('volatile');
  const durable = read('durable');
  const voided =
    volatile !== undefined && bootOf(volatile) !== undefined && bootOf(volatile) !== world.bootId;
  const parts = (voided ? [durable] : [volatile, durable]).filter((part) => part !== undefined);
  const bad = parts.find((part): part is Exclude<Parsed, { kind: 'journal' }> => part.kind !== 'journal');
  if (bad !== undefined) {
    const path = stores[bad === volatile ? 'volatile' : 'durable'].path(fileName(id));
    const { kind, why, byHand } = bad;
    const cure = kind === 'damaged' ? [...byHand, ...ends(id, byHand.length > 0)] : byHand;
    return { id, voided, trouble: { kind, path, why, byHand, cure } };
  }
  const files = parts.flatMap((part) => (part.kind === 'journal' ? [part.file] : []));
  return files.length === 0 ? { id, voided } : { id, voided, journal: Journal.reopen(stores, files) };
}

/** The last word on a journal that nobody can carry out any more. */
const ends = (id: string, known: boolean): readonly string[] => [
  ...(known ? [] : ['qlaunch map   # its own lines are lost; what is still there is seen here']),
  `qlaunch undo ${id} --forget   # when nothing of it is left: only its journal goes`,
];

/** Of a damaged one only if its first line is whole. */
const bootOf = (parsed: Parsed): string | undefined =>
  parsed.kind === 'journal' ? parsed.file.head.bootId : parsed.bootId;
