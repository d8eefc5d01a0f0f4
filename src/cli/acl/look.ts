/** qlaunch acl list | check */
import { EXIT, printable, QlaunchError } from '../../errors.ts';
import { findLink, readLinks } from '../../host/acl/links.ts';
import { linuxMachine } from '../../host/linux.ts';
import { userName } from '../../host/vm/names.ts';
import { type Identity, identity } from '../../host/vm/user.ts';
import { shellWord } from '../../plan/shell.ts';
import { broken } from '../../run/acl/edit.ts';
import { checkBridge, mustBeRoot, readList } from '../../run/acl/look.ts';
import { aclTarget } from '../../run/acl/target.ts';
import type { AclVerdict } from '../../spec/acl/decide.ts';
import { shown } from '../../spec/acl/names.ts';
import type { AclRule, AclRules } from '../../spec/acl/rules.ts';
import { aclWarnings } from '../../spec/acl/warnings.ts';
import { parseIfName } from '../../spec/ifname.ts';
import { isProblem } from '../../spec/raw.ts';
import { advise, json, note, out, table } from '../terminal.ts';

export interface LookOptions {
  readonly file?: string;
  readonly json?: boolean;
  readonly user?: string;
}

export async function list(options: LookOptions): Promise<number> {
  const target = await aclTarget(linuxMachine(), options.file);
  const rules = readList(target, eyes());
  if (options.json === true) json(shown({ ...listJson(rules), from: target.from }));
  else {
    if (rules.rules.length > 0 || rules.includes.length > 0) out(renderRules(shown(rules)));
    else if (rules.failure === undefined)
      note(`qlaunch: ${target.path} has no rules: every bridge is denied`);
    for (const { file, line, text } of shown(aclWarnings(rules))) note(`qlaunch: ${file}:${line}: ${text}`);
  }
  if (rules.failure !== undefined) throw broken(rules.failure);
  return EXIT.ok;
}

export async function check(bridge: string, options: LookOptions): Promise<number> {
  const host = linuxMachine();
  const target = await aclTarget(host, options.file);
  const who = userOf(`acl check ${shellWord(bridge)}`, options.user);
  refuseNoName(bridge);
  const { rules, verdict } = checkBridge(target, who, bridge);
  if (options.json === true) json(checkJson(bridge, who, rules.file, shown(verdict)));
  if (verdict.kind === 'failed') throw broken(verdict.failure);
  if (options.json !== true) advise(renderVerdict(bridge, who, shown(rules), shown(verdict)));
  const link = findLink(await readLinks(host), bridge);
  if (link !== undefined && link.name !== bridge)
    note(`qlaunch: ${bridge} is another name of ${link.name}; the helper compares what is typed`);
  return verdict.kind === 'allowed' ? EXIT.ok : EXIT.refused;
}

/** What the helper would not even look up. Errors: QL_USAGE. */
export function refuseNoName(bridge: string): void {
  const name = parseIfName(bridge, 'BRIDGE');
  if (!isProblem(name)) return;
  throw new QlaunchError('QL_USAGE', EXIT.usage, {
    what: `"${bridge}" can not be the name of a bridge`,
    why: [name.what],
  });
}

/** Errors: QL_NEEDS_ROOT, QL_RUN_AS when there is no such user. */
export function userOf(command: string, name: string | undefined): Identity {
  if (name !== undefined && process.geteuid?.() !== 0 && userName(process.geteuid?.() ?? 0) !== name)
    throw mustBeRoot(command, name);
  return identity(process.env, name);
}

/** Whoever lists the rules sees them all: root does, also under sudo. */
function eyes(): Identity {
  return { ...userOf('acl list', undefined), dropTo: false };
}

function renderRules({ rules, includes }: AclRules): string {
  const place = ({ file, line }: { file: string; line: number }): string => `${file}:${line}`;
  return table(
    ['RULE', 'BRIDGE', 'WHERE', 'NOTE'],
    [
      ...rules.map((rule) => [rule.verb, quoted(rule.bridge), place(rule)]),
      ...includes.map((one) => [
        'include',
        one.path,
        place(one),
        one.state === 'read' ? '' : (one.why ?? one.state),
      ]),
    ],
  );
}

const quoted = (name: string): string => (name === '' || /\s/.test(name) ? JSON.stringify(name) : name);

function renderVerdict(bridge: string, { user }: Identity, rules: AclRules, verdict: AclVerdict): string {
  const name = printable(bridge);
  const where = (rule: AclRule): string => `${rule.file}:${rule.line}: ${rule.verb} ${rule.bridge}`;
  if (verdict.kind === 'allowed') return `${name} is allowed for ${userName(user.uid)}: ${where(verdict.by)}`;
  if (verdict.kind === 'denied' && verdict.by !== undefined) {
    const but = verdict.despite === undefined ? '' : ` (wins over ${where(verdict.despite)})`;
    return `${name} is denied for ${userName(user.uid)}: ${where(verdict.by)}${but}`;
  }
  const unread = rules.includes.filter(({ state }) => state === 'unread');
  const hint = unread.map(({ path, why }) => `; ${path} was not read: ${why}`).join('');
  return `${name} is denied for ${userName(user.uid)}: no rule in ${rules.file} allows it${hint}`;
}

/**
 * `list --json`: file, from ("file", "confirmed", "computed", "usual"), rules: verb, bridge, file, line;
 * includes: path, state ("read", "again", "loop", "unread", "broken"), why, file, line; failure: file, line, says,
 * why; warnings: file, line, text.
 */
function listJson(found: AclRules): object {
  const { file, rules, includes, failure } = found;
  return {
    file,
    rules,
    includes,
    failure: failure ?? null,
    warnings: aclWarnings(found),
  };
}

/** bridge, user, file, verdict ("allowed", "denied", "failed"), by and despite: a rule or null; failure or null. */
function checkJson(bridge: string, { user }: Identity, latin1: string, verdict: AclVerdict): object {
  const file = shown(latin1);
  const by = 'by' in verdict ? (verdict.by ?? null) : null;
  const despite = 'despite' in verdict ? (verdict.despite ?? null) : null;
  const failure = verdict.kind === 'failed' ? verdict.failure : null;
  return { bridge, user: userName(user.uid), file, verdict: verdict.kind, by, despite, failure };
}
