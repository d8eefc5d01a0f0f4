/** A plan as text for sh(1), and as JSON. What is printed here is what is run: a test runs the text. */
import { shellLine, shellWord, withStdin } from './shell.ts';
import type { Action, FileOwner, Plan, Step, Undo } from './step.ts';
import { renderRebind } from './vfio/rebind.ts';
import { batchText, octal, renderKeep, renderWrite, tempBeside } from './words.ts';

const chown = (owner: FileOwner | undefined, path: string): string =>
  owner === undefined ? '' : ` && chown ${owner.uid}:${owner.gid} ${path}`;

export function renderAction(action: Action): string {
  if ('run' in action) {
    const command = shellLine(action.run);
    return action.stdin === undefined ? command : withStdin(command, action.stdin);
  }
  if ('batch' in action) return withStdin(`${action.batch} -batch -`, batchText(action.lines));
  if ('write' in action) return renderWrite(action.write, action.value);
  if ('share' in action) return renderWrite(action.share, action.value);
  if ('rebind' in action) return renderRebind(action.rebind, action.to);
  if ('load' in action) return shellLine(['modprobe', action.load]);
  if ('file' in action) {
    const temp = shellWord(tempBeside(action.file, 'new'));
    const path = shellWord(action.file);
    const decode = action.base64 === true ? 'base64 -d' : 'cat';
    const put = withStdin(`(umask 077 && ${decode} > ${temp})`, action.content);
    const keep = action.keep === true ? `${renderKeep(path, temp)} && ` : '';
    const rights = `chmod ${octal(action.mode)} ${temp}${chown(action.owner, temp)}`;
    return `${put}\n${keep}${rights} && mv -f ${temp} ${path}`;
  }
  const path = shellWord(action.mkdir);
  return `[ -d ${path} ] || { mkdir -m ${octal(action.mode)} ${path}${chown(action.owner, path)}; }`;
}

/** What a planner says about the way back, for `--dry-run`. */
function renderUndo(undo: Undo): string {
  if ('nothing' in undo) return `nothing: ${undo.nothing}`;
  if ('restore' in undo) return 'put back what was there before';
  if ('eachLine' in undo) return 'line by line';
  return shellLine(undo.run);
}

const comment = (text: string): string => text.replaceAll(/[\r\n]+/g, ' ');

function renderStep(step: Step): string {
  return `# ${comment(step.title)}\n${renderAction(step.do)}\n`;
}

/** Pasteable into a root shell. Later stages, which only the kernel can complete, are comments. */
export function renderPlan<Facts>(plan: Plan<Facts>): string {
  const now = plan.steps.map(renderStep).join('');
  if (plan.next === undefined) return now;
  const later = plan.next.preview
    .map(renderStep)
    .join('')
    .replaceAll(/^(?=.)/gm, '# ');
  return `${now}# --- then, because ${comment(plan.next.waitsFor)}:\n${later}`;
}

/**
 * `--dry-run --json`. One object per step: `title`, `shell` (what renderPlan prints for it), `undo` (text),
 * `do` (the action as in step.ts), `deadlineMs`. `later` has the same shape with placeholders in `<>`.
 */
export interface PlanJson {
  readonly steps: readonly StepJson[];
  readonly later?: { readonly waitsFor: string; readonly steps: readonly StepJson[] };
}

interface StepJson {
  readonly title: string;
  readonly shell: string;
  readonly undo: string;
  readonly do: Action;
  readonly deadlineMs: number;
}

export function planJson<Facts>(plan: Plan<Facts>): PlanJson {
  const steps = plan.steps.map(stepJson);
  if (plan.next === undefined) return { steps };
  return { steps, later: { waitsFor: plan.next.waitsFor, steps: plan.next.preview.map(stepJson) } };
}

function stepJson(step: Step): StepJson {
  const undo =
    'batch' in step.do
      ? step.do.lines.map((line) => renderUndo(line.undo)).join('; ')
      : renderUndo(step.undo);
  return { title: step.title, shell: renderAction(step.do), undo, do: step.do, deadlineMs: step.deadlineMs };
}
