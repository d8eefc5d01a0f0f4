/** `qlaunch doctor --fix`: each cure that we can do ourselves is a change of its own, journaled and undoable. */
import type { Fix } from '../../plan/doctor/finding.ts';
import type { Step } from '../../plan/step.ts';
import { apply } from '../apply.ts';
import { newId } from '../change/execute.ts';
import type { Engine } from '../engine.ts';
import { recover } from '../recover.ts';
import type { CheckedFinding } from './checks.ts';

export interface Fixable extends CheckedFinding {
  readonly fix: Fix;
}

/** What is wrong and can be cured, `recover` once: it takes everything back in one go. */
export function fixable(findings: readonly CheckedFinding[]): readonly Fixable[] {
  const wrong = findings.filter(
    (finding): finding is Fixable => finding.state !== 'ok' && finding.fix !== undefined,
  );
  const seen = new Set<string>();
  return wrong.filter(({ fix }) => {
    const key = JSON.stringify(fix);
    return !seen.has(key) && seen.add(key);
  });
}

export interface Fixed {
  readonly id: string;
  readonly about?: string;
  /** The change, for `qlaunch undo`; undefined after a recover. */
  readonly change?: string;
  /** What went wrong; the other fixes are done all the same. */
  readonly failure?: unknown;
}

export async function fixAll(
  engine: Engine,
  fixes: readonly Fixable[],
  onStep: (step: Step) => void,
): Promise<readonly Fixed[]> {
  const done: Fixed[] = [];
  for (const { id, about, fix } of fixes) {
    const what = about === undefined ? { id } : { id, about };
    try {
      if ('recover' in fix) {
        await recover(engine);
        done.push(what);
        continue;
      }
      const change = newId(engine);
      const title = `doctor: ${about === undefined ? id : `${id} ${about}`}`;
      const order = {
        title,
        id: change,
        lifetime: { untilUndone: change },
        holder: 'until-undone',
        onStep,
      } as const;
      await apply(engine, order, () => ({ steps: fix.steps }));
      done.push({ ...what, change });
    } catch (failure) {
      done.push({ ...what, failure });
    }
  }
  return done;
}
