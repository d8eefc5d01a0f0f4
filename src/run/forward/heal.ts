/** Rules of forwards that no record knows: `forward add` or `forward remove` was killed in the middle. */
import { forwardOf, forwardTable } from '../../plan/nat/guest.ts';
import { takeBackSome } from '../change/amend.ts';
import { entrust } from '../change/guarded.ts';
import type { Left } from '../change/teardown.ts';
import type { Engine } from '../engine.ts';
import type { Entry } from '../journal/entry.ts';
import type { Journal } from '../journal/journal.ts';
import { loadChanges } from '../journal/load.ts';
import { vmLabel } from '../vm/left.ts';
import { alive, type VmStatus } from '../vm/status.ts';
import { socketOf } from './kept.ts';

export interface Unknown {
  readonly vm: string;
  readonly journal: Journal;
  /** Newest first. */
  readonly entries: readonly Entry[];
}

/**
 * Of VMs that run; what another one has is its end's to take back. Journals are of a label, which two VMs may have
 * (alice's `web`, and the one that she runs by sudo): what any of them knows stays, and all where one can not be asked.
 */
export function unknownForwards(engine: Engine, vms: readonly VmStatus[]): readonly Unknown[] {
  const living = vms.filter(alive);
  const labels = new Map(living.map(({ record }) => [vmLabel(record.uid, record.name), record.name]));
  const journals = loadChanges(engine.stores, engine.world).flatMap(({ journal }) => journal ?? []);
  return [...labels].flatMap(([label, vm]) => {
    const ofLabel = living.filter(({ record }) => vmLabel(record.uid, record.name) === label);
    if (ofLabel.some(({ damaged }) => damaged === true)) return [];
    const known = new Set(ofLabel.flatMap(tablesOf));
    return journals.flatMap((journal) => {
      const { holder, lifetime: of } = journal.head;
      if (!('vm' in of) || of.vm !== label || holder === null || holder === 'until-undone') return [];
      const entries = journal.open.filter((entry) => {
        const table = forwardOf(entry);
        return table !== undefined && !known.has(table);
      });
      return entries.length === 0 ? [] : [{ vm, journal, entries }];
    });
  });
}

const tablesOf = ({ record }: VmStatus): readonly string[] =>
  record.nics.flatMap(({ id, forwards }) => {
    const socket = socketOf(record, { id });
    return forwards.map((one) =>
      forwardTable(socket, { ...one, proto: one.proto === 'udp' ? 'udp' : 'tcp' }),
    );
  });

/** Under the host lock, so that none of them is being made. */
export async function healForwards(
  engine: Engine,
  vms: readonly VmStatus[],
): Promise<{ readonly said: readonly string[]; readonly left: readonly (Left & { readonly id: string })[] }> {
  const said: string[] = [];
  const left: (Left & { id: string })[] = [];
  for (const { vm, journal, entries } of unknownForwards(engine, vms)) {
    const numbers = new Set(entries.map(({ n }) => n));
    const rest = await takeBackSome(engine, journal, ({ n }) => numbers.has(n));
    const { holder, id } = journal.head;
    if (holder !== null && holder !== 'until-undone') await entrust(engine, journal, holder);
    left.push(...rest.map((one) => ({ ...one, id })));
    if (rest.length === 0)
      said.push(`VM ${vm}: took back what a killed command left: ${entries.at(-1)?.title}`);
  }
  return { said, left };
}
