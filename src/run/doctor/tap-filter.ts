/** Rules for what comes from a tap (antispoof=, rate=): who flushes nft's ruleset takes them, and nobody would see it. */
import { bridgeTables } from '../../host/nat/forwards.ts';
import type { Finding } from '../../plan/doctor/finding.ts';
import { type Lifetime, renderLifetime } from '../../plan/lifetime.ts';
import { shellWord } from '../../plan/shell.ts';
import type { Engine } from '../engine.ts';
import { type OpenChange, openChanges } from '../recover.ts';

/** None where nobody may ask nft. */
export async function tapFilterFindings(engine: Engine, isRoot: boolean): Promise<readonly Finding[]> {
  const wanted = isRoot ? openChanges(engine).flatMap(filtersOf) : [];
  const live = wanted.length === 0 ? undefined : await bridgeTables(engine.machine);
  return live === undefined ? [] : lostFilters(wanted, live);
}

export interface TapFilter {
  /** "bridge qlaunch_0123456789ab" */
  readonly table: string;
  /** "filter what comes from qt-web0" */
  readonly title: string;
  readonly change: string;
  readonly lifetime: Lifetime;
}

/** What a killed run left is another check's. */
export function filtersOf({ change, decision }: OpenChange): readonly TapFilter[] {
  const { journal, id } = change;
  if (journal === undefined || decision.kind === 'undo') return [];
  return journal.open.flatMap(({ owns, state, title }) =>
    state === 'done' && owns !== undefined && 'nft' in owns && owns.nft.startsWith('bridge ')
      ? [{ table: owns.nft, title, change: id, lifetime: journal.head.lifetime }]
      : [],
  );
}

/** @param live tables of nft with rules */
export function lostFilters(wanted: readonly TapFilter[], live: ReadonlySet<string>): readonly Finding[] {
  const id = 'tap-filter';
  const lost = wanted.filter(({ table }) => !live.has(table));
  if (lost.length === 0)
    return wanted.length === 0 ? [] : [{ id, state: 'ok', fact: 'the rules of all taps are there' }];
  return lost.map(({ table, title, change, lifetime }) => ({
    ...{ id, about: table.replace('bridge ', '') },
    state: 'problem',
    fact: `somebody has removed the rules that ${title} (${renderLifetime(lifetime)}): all of it passes`,
    cure: [
      'vm' in lifetime
        ? `sudo qlaunch stop ${shellWord(lifetime.vm)}   # then start it again`
        : `sudo qlaunch undo ${change}   # then make it again`,
    ],
  }));
}
