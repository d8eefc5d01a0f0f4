/** A policy rule that names the NIC names the bridge. */
import { EXIT, QlaunchError } from '../../errors.ts';
import { type Argv, DEADLINE_MS, type Owns, type Step } from '../step.ts';
import { type Rule, ruleWords } from './rule.ts';

/** Packets come in by the bridge from now on. First the new one: no moment is without. */
export function renameRule(
  rule: Rule,
  { name, uplink }: { readonly name: string; readonly uplink: string },
  owns: Owns,
): readonly Step[] {
  const [old, renamed] = [ruleWords(rule, uplink, uplink), ruleWords(rule, uplink, name)];
  if (old === undefined || renamed === undefined) throw cannotSay(rule);
  const ip = (verb: string, words: readonly string[]): Argv => [
    'ip',
    rule.family === 'inet6' ? '-6' : '-4',
    'rule',
    verb,
    ...words,
  ];
  const [there, gone] = [['File exists'], ['No such file or directory', 'No such process']];
  const step = (title: string, action: Argv, back: Argv, over: readonly string[]): Step => ({
    title,
    do: { run: action },
    undo: { run: back, gone: over },
    owns,
    deadlineMs: DEADLINE_MS,
  });
  return [
    step(
      `make the rule ${String(rule.row['priority'])} for ${name}`,
      ip('add', renamed),
      ip('del', renamed),
      gone,
    ),
    step(
      `remove the rule ${String(rule.row['priority'])} of ${uplink}`,
      ip('del', old),
      ip('add', old),
      there,
    ),
  ];
}

export function cannotSay({ family, row }: Rule): QlaunchError {
  return new QlaunchError('QL_CANNOT_MOVE', EXIT.refused, {
    what: 'can not move a policy rule',
    why: [`it says what is not known: ${JSON.stringify(row)}`],
    todo: [`ip ${family === 'inet6' ? '-6 ' : ''}rule show`],
  });
}
