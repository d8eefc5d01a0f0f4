/** `qlaunch doctor --fix`: each cure that we can do ourselves is a change of its own, journaled and undoable. */
import type { Fix } from '../../plan/doctor/finding.ts';
import type { Step } from '../../plan/step.ts';
import { execute, newId } from '../change/execute.ts';
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
  /** The change, for `qlaunch undo`; undefined after a recover, and when it was well by then. */
  readonly change?: string;
  /** What went wrong; the other fixes are done all the same. */
  readonly failure?: unknown;
}

export interface FixOrder {
  /** Looks again, under the lock: somebody else may have cured it, or changed the same file. */
  readonly again: (finding: Fixable) => Promise<Fix | undefined>;
  readonly onStep: (step: Step) => void;
}

export async function fixAll(
  engine: Engine,
  fixes: readonly Fixable[],
  order: FixOrder,
): Promise<readonly Fixed[]> {
  const done: Fixed[] = [];
  for (const finding of fixes) {
    const { id, about, fix } = finding;
    const what = about === undefined ? { id } : { id, about };
    try {
      const change = 'recover' in fix ? undefined : await cure(engine, finding, order);
      if ('recover' in fix) await recover(engine);
      done.push(change === undefined ? what : { ...what, change });
    } catch (failure) {
      done.push({ ...what, failure });
    }
  }
  return done;
}

/** The id of the change; undefined when nothing was left to do. */
function cure(engine: Engine, finding: Fixable, { again, onStep }: FixOrder): Promise<string | undefined> {
  const { id, about } = finding;
  const title = `doctor: ${about === undefined ? id : `${id} ${about}`}`;
  return engine.locked(title, async () => {
    const fix = await again(finding);
    if (fix === undefined || 'recover' in fix) return undefined;
    const change = newId(engine);
    const kept = { lifetime: { untilUndone: change }, holder: 'until-undone', id: change } as const;
    await execute(engine, { steps: fix.steps }, { title, ...kept, onStep });
    return change;
  });
}
