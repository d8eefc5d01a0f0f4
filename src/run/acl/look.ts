/** What the list says: all of it, or about one bridge for one user. */
import { EXIT, QlaunchError } from '../../errors.ts';
import { readerOf } from '../../host/acl/chain/acl.ts';
import { readAcl } from '../../host/acl/read.ts';
import type { Identity } from '../../host/vm/user.ts';
import { shellWord } from '../../plan/shell.ts';
import { type AclVerdict, decide } from '../../spec/acl/decide.ts';
import { toAclBytes } from '../../spec/acl/names.ts';
import type { AclRules } from '../../spec/acl/rules.ts';
import type { AclTarget } from './target.ts';

/** As `user` could read it: root, ourselves, or, when we are root, anybody. */
export function readList({ path, helper, from }: AclTarget, user: Identity): AclRules {
  return readAcl(path, { user: from === 'file' ? user : readerOf(helper, user) });
}

export interface AclAnswer {
  readonly rules: AclRules;
  readonly verdict: AclVerdict;
}

export function checkBridge(target: AclTarget, user: Identity, bridge: string): AclAnswer {
  const rules = readList(target, user);
  return { rules, verdict: decide(rules, toAclBytes(bridge)) };
}

/** @param command what to type with more rights: "acl check br0" */
export function mustBeRoot(command: string, user: string): QlaunchError {
  return new QlaunchError('QL_NEEDS_ROOT', EXIT.refused, {
    what: `can not look with the eyes of "${user}"`,
    why: ['only root may read files with another user’s rights'],
    todo: [`sudo qlaunch ${command} --user ${shellWord(user)}`],
  });
}
