/** The list of bridges: there, readable by the helper's caller, in order, and with this bridge on it. */
import { type Stats, statSync } from 'node:fs';
import { exampleAcl } from '../../../plan/acl/example.ts';
import { newAclFile, usualMode } from '../../../plan/acl/file.ts';
import type { Finding } from '../../../plan/doctor/finding.ts';
import { octal } from '../../../plan/render.ts';
import { type AclVerdict, decide } from '../../../spec/acl/decide.ts';
import { toAclBytes } from '../../../spec/acl/names.ts';
import type { AclFailure, AclRules } from '../../../spec/acl/rules.ts';
import { aclWarnings } from '../../../spec/acl/warnings.ts';
import { groupName, userName } from '../../vm/names.ts';
import type { Identity } from '../../vm/user.ts';
import type { ChainWish } from '../chain.ts';
import { allowStep } from '../edit.ts';
import type { BridgeHelper } from '../helper.ts';
import { readAcl } from '../read.ts';

export async function aclFindings(
  path: string,
  helper: BridgeHelper | undefined,
  wish: ChainWish,
): Promise<readonly Finding[]> {
  const rules = readAcl(path, readerOf(helper, wish.user), wish.cwd);
  const { failure } = rules;
  if (failure?.line === 0) return [unreadable(path, failure.why, helper, wish)];
  const file: Finding = {
    id: 'acl-file',
    state: 'ok',
    fact: `${path} is there and ${userName(wish.user.user.uid)} may read it`,
  };
  if (failure !== undefined) return [file, brokenFile(failure)];
  const parses: Finding = { id: 'acl-parses', state: 'ok', fact: `${path} has no errors` };
  const warnings = aclWarnings(rules).map(
    ({ file: name, line, text }): Finding => ({
      id: 'acl-rules',
      about: `${name}:${line}`,
      state: 'warning',
      fact: `${name}:${line}: ${text}`,
    }),
  );
  return [file, parses, allows(rules, decide(rules, toAclBytes(wish.bridge)), wish), ...warnings];
}

/** A helper that was built without libcap-ng never gives up root: then root's eyes count. */
export function readerOf(helper: BridgeHelper | undefined, user: Identity): Identity {
  const isRoot = helper !== undefined && !helper.strings.dropsPrivileges && (helper.mode & 0o4000) !== 0;
  return isRoot ? { ...user, dropTo: false } : user;
}

function unreadable(
  path: string,
  why: string,
  helper: BridgeHelper | undefined,
  { user, bridge, file }: ChainWish,
): Finding {
  const id = 'acl-file';
  const name = userName(user.user.uid);
  const stat = statIfThere(path);
  if (stat === undefined) {
    const asked = file === undefined ? '' : ` --file ${file}`;
    return {
      id,
      state: 'problem',
      fact: `${path}, the list of bridges that guests may use, can not be read by ${name}: ${why}`,
      cure: [`sudo qlaunch acl allow ${bridge}${asked}`],
      fix: { steps: newAclFile(path, exampleAcl(bridge), usualMode(helper)) },
    };
  }
  const group = groupName(stat.gid);
  const rights = `${userName(stat.uid)}:${group} ${octal(stat.mode & 0o7777)}`;
  const member = (stat.mode & 0o040) !== 0 && stat.gid !== 0;
  return {
    id,
    state: 'problem',
    fact: `${name} may not read ${path}, which is ${rights}; the helper reads it with its caller’s rights`,
    cure: [
      ...(member ? [`sudo usermod -aG ${group} ${name}    # then log in again`] : []),
      `sudo chmod a+r ${path}`,
      `namei -l ${path}`,
    ],
  };
}

function statIfThere(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

function brokenFile({ file, line, says, why }: AclFailure): Finding {
  return {
    id: 'acl-parses',
    state: 'problem',
    fact: `${file}:${line}: ${why}: the helper gives up the whole file (${says.replaceAll(/\s+/g, ' ')})`,
    cure: [`sudoedit ${file}    # line ${line}`],
  };
}

function allows(rules: AclRules, verdict: AclVerdict, { bridge, user, file }: ChainWish): Finding {
  const id = 'acl-allows';
  const asked = file === undefined ? '' : ` --file ${file}`;
  if (verdict.kind === 'allowed') {
    const { verb, bridge: name, file: where, line } = verdict.by;
    return { id, state: 'ok', fact: `${where}:${line} allows ${bridge} ("${verb} ${name}")` };
  }
  const by = verdict.kind === 'denied' ? verdict.by : undefined;
  if (by !== undefined)
    return {
      id,
      state: 'problem',
      fact: `${by.file}:${by.line} denies ${bridge} ("deny ${by.bridge}"): a deny wins over every allow`,
      cure: [
        `sudo qlaunch acl remove ${by.bridge} --file ${by.file}`,
        `sudo qlaunch acl allow ${bridge}${asked}`,
      ],
    };
  const unread = rules.includes.filter(({ state }) => state === 'unread').map(({ path }) => path);
  const hint = unread.length === 0 ? '' : ` (${userName(user.user.uid)} can not read ${unread.join(', ')})`;
  const step = allowStep(rules.file, bridge);
  return {
    id,
    state: 'problem',
    fact: `no rule in ${rules.file} allows ${bridge}${hint}`,
    cure: [`sudo qlaunch acl allow ${bridge}${asked}`],
    ...(step === undefined ? {} : { fix: { steps: [step] } }),
  };
}
