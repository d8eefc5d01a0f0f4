/** The list of bridges: there, readable by the helper's caller, in order, and with this bridge on it. */
import { type Stats, statSync } from 'node:fs';
import { exampleAcl } from '../../../plan/acl/example.ts';
import { newAclFile, usualMode } from '../../../plan/acl/file.ts';
import type { Finding } from '../../../plan/doctor/finding.ts';
import { shellWord } from '../../../plan/shell.ts';
import { octal } from '../../../plan/words.ts';
import { type AclVerdict, decide } from '../../../spec/acl/decide.ts';
import { USUAL_ACL } from '../../../spec/acl/helper-path.ts';
import { shown, toAclBytes } from '../../../spec/acl/names.ts';
import type { AclFailure, AclRules } from '../../../spec/acl/rules.ts';
import { aclWarnings } from '../../../spec/acl/warnings.ts';
import { groupName, userName } from '../../vm/names.ts';
import type { Identity } from '../../vm/user.ts';
import type { ChainWish } from '../chain.ts';
import { allowStep } from '../edit.ts';
import { type BridgeHelper, chosenHelper, inspectHelper } from '../helper.ts';
import { barrier } from '../reach.ts';
import { NO_FILE, readAcl } from '../read.ts';
import { untrusted } from '../trust.ts';

export function aclFindings(
  path: string,
  helper: BridgeHelper | undefined,
  wish: ChainWish,
): readonly Finding[] {
  const cwd = wish.cwd === undefined ? {} : { cwd: wish.cwd };
  const rules = readAcl(path, { user: readerOf(helper, wish.user), ...cwd });
  const { failure } = rules;
  const name = userName(wish.user.user.uid);
  const word = shellWord(path);
  const asked: Asked = { bridge: wish.bridge, name, helper, asked: isUsual(path) ? '' : ` --file ${word}` };
  if (failure?.line === 0)
    return [failure.why === NO_FILE ? missing(path, asked) : unreadable(path, wish.user, asked)];
  const file = fileFinding(path, name);
  if (failure !== undefined) return [file, brokenFile(shown(failure))];
  const parses: Finding = { id: 'acl-parses', state: 'ok', fact: `${path} has no errors` };
  const warnings = shown(aclWarnings(rules)).map(
    (one): Finding => ({
      id: 'acl-rules',
      about: `${one.file}:${one.line}`,
      state: 'warning',
      fact: `${one.file}:${one.line}: ${one.text}`,
    }),
  );
  return [
    file,
    parses,
    allows(shown(rules), shown(decide(rules, toAclBytes(wish.bridge))), asked),
    ...warnings,
  ];
}

/** What the texts of findings are made from. */
interface Asked {
  readonly bridge: string;
  readonly name: string;
  readonly helper: BridgeHelper | undefined;
  /** " --file …" where `qlaunch acl` would not take this list by itself. */
  readonly asked: string;
}

function isUsual(path: string): boolean {
  const found = chosenHelper({});
  return path === (found === undefined ? USUAL_ACL : inspectHelper(found)?.acl);
}

/** The helper takes any file that it can read: whoever may write it decides. */
function fileFinding(path: string, name: string): Finding {
  const id = 'acl-file';
  const mode = statIfThere(path)?.mode ?? 0;
  const culprit = (mode & 0o002) === 0 ? untrusted(path) : { culprit: path, why: 'everybody may write it' };
  if (culprit === undefined) return { id, state: 'ok', fact: `${path} is there and ${name} may read it` };
  return {
    id,
    state: 'warning',
    fact: `${culprit.culprit}: ${culprit.why}, and so may allow every bridge`,
    cure: [
      `sudo chown root:root ${shellWord(culprit.culprit)}`,
      `sudo chmod o-w,g-w ${shellWord(culprit.culprit)}`,
    ],
  };
}

/** A helper that was built without libcap-ng never gives up root: then root's eyes count. */
export function readerOf(helper: BridgeHelper | undefined, user: Identity): Identity {
  const isRoot = helper !== undefined && !helper.strings.dropsPrivileges && (helper.mode & 0o4000) !== 0;
  return isRoot ? { ...user, dropTo: false } : user;
}

function missing(path: string, { bridge, asked, helper }: Asked): Finding {
  return {
    id: 'acl-file',
    state: 'problem',
    fact: `there is no ${path}, the list of bridges that guests may use`,
    cure: [`sudo qlaunch acl allow ${shellWord(bridge)}${asked}`],
    // Not where somebody else decides what is written.
    ...(untrusted(path) === undefined
      ? { fix: { steps: newAclFile(path, exampleAcl(toAclBytes(bridge)), usualMode(helper)) } }
      : {}),
  };
}

/** The helper reads the list with its caller's rights. */
function unreadable(path: string, user: Identity, { name }: Asked): Finding {
  const id = 'acl-file';
  const closed = barrier(path, user);
  if (closed !== undefined)
    return {
      id,
      state: 'problem',
      fact: `${name} may not read ${path}: the way through ${closed} is closed, which is ${rightsOf(closed)}`,
      cure: [`sudo chmod a+x ${shellWord(closed)}`],
    };
  const stat = statIfThere(path);
  const group = stat === undefined ? '' : groupName(stat.gid);
  const byGroup = stat !== undefined && (stat.mode & 0o040) !== 0 && stat.gid !== 0;
  return {
    id,
    state: 'problem',
    fact: `${name} may not read ${path}, which is ${rightsOf(path)}; the helper reads it with its caller’s rights`,
    cure: [
      ...(byGroup ? [`sudo usermod -aG ${group} ${name}    # then log in again`] : []),
      `${byGroup ? 'or: ' : ''}sudo chmod a+r ${shellWord(path)}`,
    ],
  };
}

/** "root:kvm 0640" */
function rightsOf(path: string): string {
  const stat = statIfThere(path);
  return stat === undefined
    ? 'not for us to see'
    : `${userName(stat.uid)}:${groupName(stat.gid)} ${octal(stat.mode & 0o7777)}`;
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
    cure: [`sudoedit ${shellWord(file)}    # line ${line}`],
  };
}

function allows(rules: AclRules, verdict: AclVerdict, { bridge, name: user, asked }: Asked): Finding {
  const id = 'acl-allows';
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
        `sudo qlaunch acl remove ${shellWord(by.bridge)} --file ${shellWord(by.file)}`,
        `sudo qlaunch acl allow ${shellWord(bridge)}${asked}`,
      ],
    };
  const unread = rules.includes.filter(({ state }) => state === 'unread').map(({ path }) => path);
  const hint = unread.length === 0 ? '' : ` (${user} can not read ${unread.join(', ')})`;
  const step = allowStep(rules.file, bridge);
  return {
    id,
    state: 'problem',
    fact: `no rule in ${rules.file} allows ${bridge}${hint}`,
    cure: [`sudo qlaunch acl allow ${shellWord(bridge)}${asked}`],
    ...(step === undefined ? {} : { fix: { steps: [step] } }),
  };
}
