/** What killed runs left on the host, and what is open but can not be read. */

import type { Finding } from '../../plan/doctor/finding.ts';
import { renderLifetime } from '../../plan/lifetime.ts';
import type { Engine } from '../engine.ts';
import { type OpenChange, openChanges } from '../recover.ts';

/** `isRoot`: others see their own changes only. */
export function leftOverFindings(engine: Engine, isRoot: boolean = true): readonly Finding[] {
  const id = 'left-overs';
  const found = openChanges(engine).flatMap(finding);
  if (found.length > 0) return found;
  const fact = `no change of a killed run${isRoot ? '' : ' of yours'} is left`;
  return [{ id, state: 'ok', fact }];
}

function finding({ change, decision }: OpenChange): readonly Finding[] {
  const about = { id: 'left-overs', about: change.id } as const;
  if (change.trouble !== undefined)
    return [{ ...about, state: 'problem', fact: decision.why, cure: change.trouble.cure }];
  const head = change.journal?.head;
  if (decision.kind !== 'undo' || head === undefined) return [];
  return [
    {
      ...about,
      state: 'problem',
      fact: `"${head.title}" (${renderLifetime(head.lifetime)}) is still in place: ${decision.why}`,
      cure: ['qlaunch recover'],
      fix: { recover: true },
    },
  ];
}
