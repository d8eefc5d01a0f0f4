/** What a plan would change in files that are there. */
import type { Machine } from '../../../host/port.ts';
import { renderDiffs } from '../../../plan/bridge/persist/diff.ts';
import type { Step } from '../../../plan/step.ts';

/** As comments; empty when nothing below /etc changes. */
export async function fileDiffs(machine: Machine, steps: readonly Step[]): Promise<string> {
  const now = new Map<string, string | undefined>();
  for (const { do: action } of steps) {
    if (!('file' in action)) continue;
    const captured = await machine.capture(action.file);
    now.set(action.file, captured !== undefined && 'content' in captured ? captured.content : undefined);
  }
  return renderDiffs(steps, (path) => now.get(path));
}
