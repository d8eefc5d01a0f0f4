/** bridge.conf before and after an edit. Whoever edits holds the host lock. */
import { realpathSync, statSync } from 'node:fs';
import { EXIT, QlaunchError } from '../../errors.ts';
import { type AclFileMode, newAclFile, replaceAclFile } from '../../plan/acl/file.ts';
import type { Step } from '../../plan/step.ts';
import { addRule } from '../../spec/acl/edit.ts';
import { toAclBytes } from '../../spec/acl/names.ts';
import { readAclFile } from './read.ts';
import { untrusted } from './trust.ts';

export interface AclEdit {
  /** Of the file itself, behind all symbolic links. */
  readonly path: string;
  /** latin1; undefined when the file is not there yet. */
  readonly before: string | undefined;
  readonly after: string;
  readonly steps: readonly Step[];
}

/**
 * @param path absolute
 * @param rights of a file that has to be made
 * Errors: QL_ACL_UNSAFE when somebody else could swap the file, QL_ACL_UNREADABLE.
 */
export function editAcl(path: string, change: (text: string) => string, rights: AclFileMode): AclEdit {
  const danger = untrusted(path);
  if (danger !== undefined) throw unsafe(path, danger.culprit, danger.why);
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) {
    const after = change('');
    return { path, before: undefined, after, steps: newAclFile(path, after, rights) };
  }
  const real = realpathSync(path);
  const source = stat.isFile() ? readAclFile(real) : { why: 'it is not a file' };
  if ('why' in source)
    throw new QlaunchError('QL_ACL_UNREADABLE', EXIT.host, {
      what: `can not read ${path}`,
      why: [source.why],
      todo: [`namei -l ${path}`],
    });
  const { mode, uid, gid } = stat;
  const kept = { mode: mode & 0o7777, owner: { uid, gid } };
  const after = change(source.text);
  const steps = after === source.text ? [] : [replaceAclFile(real, after, kept)];
  return { path: real, before: source.text, after, steps };
}

/** What `--fix` does to a list that has no rule for a bridge; undefined where we will not touch it. */
export function allowStep(path: string, bridge: string): Step | undefined {
  try {
    const { before, steps } = editAcl(path, (text) => addRule(text, 'allow', toAclBytes(bridge)), {
      mode: 0o644,
    });
    return before === undefined ? undefined : steps[0];
  } catch {
    return undefined;
  }
}

function unsafe(path: string, culprit: string, why: string): QlaunchError {
  return new QlaunchError('QL_ACL_UNSAFE', EXIT.refused, {
    what: `will not write ${path}`,
    why: [`${culprit}: ${why}, so another user could put another file in its place`],
    todo: [`namei -l ${path}`, 'or edit it as the user whose directory it is'],
  });
}
