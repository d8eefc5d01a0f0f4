/** qlaunch acl allow | deny | remove | include */
import { resolve } from 'node:path';
import { EXIT, QlaunchError } from '../../errors.ts';
import { untrusted } from '../../host/acl/trust.ts';
import { linuxMachine } from '../../host/linux.ts';
import { aclDiff } from '../../plan/acl/diff.ts';
import { planJson } from '../../plan/render.ts';
import { shellWord } from '../../plan/shell.ts';
import { aclBridge } from '../../run/acl/bridge-name.ts';
import { type AclEdited, applyEdit, previewEdit } from '../../run/acl/edit.ts';
import { aclTarget } from '../../run/acl/target.ts';
import { openEngine } from '../../run/open-engine.ts';
import { decide } from '../../spec/acl/decide.ts';
import { addInclude, addRule, removeRules } from '../../spec/acl/edit.ts';
import { fromAclBytes, parseAclInclude, shown, toAclBytes } from '../../spec/acl/names.ts';
import type { AclVerb } from '../../spec/acl/statement.ts';
import { isProblem } from '../../spec/raw.ts';
import { json, note, out } from '../terminal.ts';

declare const QLAUNCH_VERSION: string;

export interface EditOptions {
  readonly file?: string;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** A hundred edits at once take their turns. */
const LOCK_WAIT_MS = 120_000;

export async function rule(verb: AclVerb, text: string, options: EditOptions): Promise<number> {
  const { name, notes } = await aclBridge(linuxMachine(), text);
  const change = (before: string): string => addRule(before, verb, name);
  const edited = await edit(`acl ${verb} ${shellWord(fromAclBytes(name))}`, change, notes, options);
  const verdict = verb === 'allow' ? shown(decide(edited.rules, name)) : undefined;
  if (verdict?.kind !== 'denied' || verdict.by === undefined) return EXIT.ok;
  note(`qlaunch: ${text} is still denied, by ${verdict.by.file}:${verdict.by.line}`);
  return EXIT.refused;
}

/** A rule as it stands in the file goes first: it may be one that no interface could have. */
export async function remove(text: string, options: EditOptions): Promise<number> {
  const asTyped = toAclBytes(text);
  const host = linuxMachine();
  const { path } = await aclTarget(host, options.file);
  const change = (before: string): string => removeRules(before, asTyped);
  const edited = await edit(`acl remove ${shellWord(text)}`, change, [], options);
  const left = edited.rules.rules.filter(({ bridge }) => bridge === asTyped);
  for (const { file, line, verb } of shown(left))
    note(`qlaunch: "${verb} ${text}" is also in ${file}:${line}`);
  if (edited.before !== edited.after || left.length > 0) return EXIT.ok;
  const { name, notes } = await aclBridge(host, text);
  if (name !== asTyped) {
    const again = (before: string): string => removeRules(before, name);
    await edit(`acl remove ${shellWord(fromAclBytes(name))}`, again, notes, options);
  } else note(`qlaunch: ${path} has no rule for ${text}`);
  return EXIT.ok;
}

export async function include(rules: string, options: EditOptions): Promise<number> {
  const path = parseAclInclude(resolve(rules));
  if (isProblem(path))
    throw new QlaunchError('QL_USAGE', EXIT.usage, { what: `can not include "${rules}"`, why: [path.what] });
  const change = (before: string): string => addInclude(before, path);
  const edited = await edit(`acl include ${shellWord(resolve(rules))}`, change, [], options);
  const danger = untrusted(resolve(rules));
  if (danger !== undefined)
    note(`qlaunch: ${danger.culprit}: ${danger.why}, and so may write rules for everybody`);
  const found = edited.rules.includes.find((one) => one.path === path && one.state === 'unread');
  if (found !== undefined) note(`qlaunch: ${resolve(rules)} counts as empty now: ${found.why}`);
  return EXIT.ok;
}

async function edit(
  title: string,
  change: (text: string) => string,
  notes: readonly string[],
  options: EditOptions,
): Promise<AclEdited> {
  const target = await aclTarget(linuxMachine(), options.file);
  const asked = options.file === undefined ? '' : ` --file ${shellWord(target.path)}`;
  const order = { target, title: `${title}${asked}`, change };
  const engine = openEngine({ tool: `qlaunch ${QLAUNCH_VERSION}`, lockWaitMs: LOCK_WAIT_MS });
  const edited = options.dryRun === true ? previewEdit(order) : await applyEdit(engine, order);
  const diff = aclDiff(edited.path, edited.before, edited.after);
  if (options.json === true) json({ ...editJson(edited), dry_run: options.dryRun === true });
  else if (diff !== '') out(diff);
  else if (!title.startsWith('acl remove')) note(`qlaunch: ${edited.path} says so already`);
  for (const text of notes) note(`qlaunch: ${text}`);
  for (const { file, line, text } of edited.warnings) note(`qlaunch: ${file}:${line}: ${text}`);
  return edited;
}

/** file, changed, diff, steps as in `--dry-run --json`, warnings: file, line, text. */
function editJson({ path, before, after, steps, warnings }: AclEdited): object {
  return {
    file: path,
    changed: before !== after,
    diff: aclDiff(path, before, after),
    ...planJson({ steps }),
    warnings,
  };
}
