/** What killed runs left on the host, and what is open but can not be read. */

import type { Finding } from '../../plan/doctor/finding.ts';
import { renderLifetime } from '../../plan/lifetime.ts';
import type { Engine } from '../engine.ts';
import { type OpenChange, openChanges } from '../recover.ts';

export function leftOverFindings(engine: Engine): readonly Finding[] {
  const id = 'left-overs';
  const found = openChanges(engine).flatMap(finding);
  return found.length > 0 ? found : [{ id, state: 'ok', fact: 'no change of a killed run is left' }];
}

function finding({ change, decision }: OpenChange): readonly Finding[] {
  const about = { id: 'left-overs', about: change.id } as const;
  if (change.trouble !== undefined)
    return [{ ...about, state: 'problem', fact: decision.why, cure: change.trouble.byHand }];
  const head = change.journal?.head;
  if (decision.kind !== 'undo' || head === undefined) return [];
  return [
    {
      ...about,
      state: 'problem',
      fact: `"${head.title}" (${renderLifetime(head.lifetime)}) is still in place: ${decision.why}`,
      cure: ['sudo qlaunch recover'],
      fix: { recover: true },
    },
  ];
}
