/** `vfio list` and `vfio explain`: looking, which needs no right and changes nothing. */
import { readVfioFacts } from '../../host/vfio/facts.ts';
import { pciNames } from '../../host/vfio/ids.ts';
import { type Explained, explain } from '../../plan/vfio/explain.ts';
import type { VfioFacts } from '../../plan/vfio/facts.ts';
import { rowsOf, type VfioRow } from '../../plan/vfio/rows.ts';
import { selectOne } from '../../plan/vfio/select.ts';
import type { Selector } from '../../spec/vfio/selector.ts';
import type { Engine } from '../engine.ts';
import { changesOf, knownNames } from './changes.ts';

export interface Looked {
  readonly facts: VfioFacts;
  readonly rows: readonly VfioRow[];
}

export async function listFunctions(engine: Engine): Promise<Looked> {
  const facts = await readVfioFacts(engine.machine);
  const ours = new Map([...changesOf(engine)].map(([address, ids]) => [address, ids.join(',')]));
  return { facts, rows: rowsOf(facts, { nameOf: pciNames(), ours }) };
}

/** Errors: as selectOne(). */
export async function explainOne(engine: Engine, selector: Selector): Promise<Explained> {
  const facts = await readVfioFacts(engine.machine);
  return explain(selectOne(selector, facts, knownNames(engine)), facts);
}
