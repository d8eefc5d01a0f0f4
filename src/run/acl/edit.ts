/** Edits of bridge.conf: previewed, or carried out under the host lock, so that none is lost. */
import { EXIT, QlaunchError } from '../../errors.ts';
import { mayReplace } from '../../host/acl/access.ts';
import { type AclEdit, editAcl } from '../../host/acl/edit.ts';
import { readAcl } from '../../host/acl/read.ts';
import { usualMode } from '../../plan/acl/file.ts';
import { shellWord } from '../../plan/shell.ts';
import { shown } from '../../spec/acl/names.ts';
import type { AclFailure, AclRules } from '../../spec/acl/rules.ts';
import { type AclWarning, aclWarnings } from '../../spec/acl/warnings.ts';
import { execute } from '../change/execute.ts';
import type { Engine } from '../engine.ts';
import { refusedToRoot } from '../read-only.ts';
import type { AclTarget } from './target.ts';

export interface AclOrder {
  readonly target: AclTarget;
  /** For `qlaunch changes` and for those who wait for the lock: "acl allow br0". */
  readonly title: string;
  /** latin1 to latin1. */
  readonly change: (text: string) => string;
}

export interface AclEdited extends AclEdit {
  /** Of the list as it is after the edit; latin1. */
  readonly rules: AclRules;
  /** What this edit brought in, or left without effect; for people. */
  readonly warnings: readonly AclWarning[];
}

/** Errors: QL_ACL_BROKEN (exit 2), QL_ACL_LOOP (exit 2), QL_ACL_UNSAFE, QL_ACL_UNREADABLE. */
export function previewEdit({ target, change }: AclOrder): AclEdited {
  // Only root can give a file away.
  const rights = process.geteuid?.() === 0 ? usualMode(target.helper) : { mode: 0o644 };
  const edit = editAcl(target.path, change, rights);
  const before = readAcl(edit.path, { text: edit.before ?? '' });
  const rules = readAcl(edit.path, { text: edit.after });
  const failure = before.failure ?? rules.failure;
  if (failure !== undefined) throw broken(failure);
  refuseLoop(before, rules);
  const known = new Set(aclWarnings(before).map(({ text }) => text));
  return { ...edit, rules, warnings: shown(aclWarnings(rules).filter(({ text }) => !known.has(text))) };
}

/**
 * Permanent: `acl remove` is its way back. An undo that waits would be void with the next edit of the same file.
 * Errors: also QL_NEEDS_ROOT, and those of execute().
 */
export function applyEdit(engine: Engine, order: AclOrder): Promise<AclEdited> {
  return engine.locked(order.title, async () => {
    const edited = previewEdit(order);
    if (edited.steps.length === 0) return edited;
    if (!mayReplace(edited.path))
      throw refusedToRoot(edited.path) ?? needsRoot(order.title, [`you may not write ${edited.path}`]);
    await execute(engine, { steps: edited.steps }, { title: order.title, lifetime: { permanent: true } });
    return edited;
  });
}

/** @param failure latin1 */
export function broken(failure: AclFailure): QlaunchError {
  const { file, line, says, why } = shown(failure);
  const at = line === 0 ? file : `${file}:${line}`;
  return new QlaunchError('QL_ACL_BROKEN', EXIT.usage, {
    what: `${at}: ${line === 0 ? 'can not be read' : 'the helper gives up the whole file here'}`,
    why: [why, ...(says === '' ? [] : [`the helper says: ${says.replaceAll(/\s+/g, ' ')}`])],
    todo:
      line > 0
        ? [`sudoedit ${shellWord(file)}    # line ${line}`]
        : [`qlaunch acl doctor --file ${shellWord(file)}`, `sudo qlaunch acl init --file ${shellWord(file)}`],
  });
}

function refuseLoop(before: AclRules, after: AclRules): void {
  const isLoop = ({ state }: AclRules['includes'][number]): boolean => state === 'loop';
  const loop = shown(after.includes.find(isLoop));
  if (loop === undefined || before.includes.some(isLoop)) return;
  throw new QlaunchError('QL_ACL_LOOP', EXIT.usage, {
    what: `will not make ${shown(after.file)} include itself`,
    why: [
      `${loop.file}:${loop.line} includes ${loop.path}, which is being read: the helper may crash on that`,
    ],
  });
}

/** @param why which steps */
export function needsRoot(title: string, why: readonly string[]): QlaunchError {
  return new QlaunchError('QL_NEEDS_ROOT', EXIT.refused, {
    what: 'this needs root; nothing was changed',
    why,
    todo: [`sudo qlaunch ${title}`],
  });
}
