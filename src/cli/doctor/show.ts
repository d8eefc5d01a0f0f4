/** qlaunch doctor: the table, and its cures. */
import { EXIT, printable, QlaunchError } from '../../errors.ts';
import { type Identity, identity } from '../../host/vm/user.ts';
import type { Finding, FindingState, Fix } from '../../plan/doctor/finding.ts';
import { rootSteps } from '../../plan/privilege.ts';
import { planJson, renderPlan } from '../../plan/render.ts';
import { CHECKS, type CheckedFinding, examine } from '../../run/doctor/checks.ts';
import { type Fixable, type Fixed, fixAll, fixable } from '../../run/doctor/fix.ts';
import { openEngine } from '../../run/open-engine.ts';
import { advise, fail, json, note, type Tint, tint } from '../terminal.ts';

declare const QLAUNCH_VERSION: string;

export interface DoctorOptions {
  readonly json?: boolean;
  readonly fix?: boolean;
  readonly dryRun?: boolean;
}

/** `checks`: rows of the table, all when empty. 0: no problem. 3: one remains. 4 to 6: a cure failed. */
export async function doctor(checks: readonly string[], options: DoctorOptions): Promise<number> {
  if (options.dryRun === true && options.fix !== true)
    throw new QlaunchError('QL_USAGE', EXIT.usage, {
      what: '--dry-run belongs to --fix: without it nothing is changed',
      todo: ['qlaunch doctor --fix --dry-run', 'qlaunch doctor'],
    });
  const engine = openEngine({ tool: `qlaunch ${QLAUNCH_VERSION}` });
  const who = identity(process.env);
  const only = checks.length > 0 ? { only: checks.map(known) } : {};
  const given = { host: engine.machine, who, env: process.env, engine, ...only };
  const print = { onFound: (finding: CheckedFinding): void => advise(rendered(finding)) };
  const look = (show: boolean): Promise<readonly CheckedFinding[]> =>
    examine({ ...given, ...(show && options.json !== true ? print : {}) });
  const findings = await look(options.fix !== true);
  if (options.fix !== true) return tell(findings, [], options);
  const fixes = fixable(findings);
  if (options.dryRun === true) return showFixes(fixes, options);
  requireRoot(fixes, who);
  const again = async ({ check, id, about }: CheckedFinding): Promise<Fix | undefined> => {
    const now = await examine({ ...given, only: [check] });
    return now.find((one) => one.id === id && one.about === about && one.state !== 'ok')?.fix;
  };
  const fixed = await fixAll(engine, fixes, { again, onStep: ({ title }) => note(printable(title)) });
  const failures = fixed.filter(({ failure }) => failure !== undefined).map(({ failure }) => fail(failure));
  // A cure counts only when it is seen to have worked.
  return Math.max(tell(await look(true), fixed, options), ...failures);
}

function known(check: string): string {
  const ids = CHECKS.map(({ id }) => id);
  if (ids.includes(check)) return check;
  throw new QlaunchError('QL_USAGE', EXIT.usage, {
    what: `there is no check "${printable(check)}"`,
    why: [`the checks are ${ids.join(', ')}`],
    todo: ['qlaunch doctor'],
  });
}

/** Before anything is done. What a user's own killed run left is the user's to take back. */
function requireRoot(fixes: readonly Fixable[], { root, user }: Identity): void {
  const steps = fixes.flatMap(({ fix }) => ('recover' in fix ? [] : rootSteps(fix, user.home)));
  if (root || steps.length === 0) return;
  throw new QlaunchError('QL_NEEDS_ROOT', EXIT.refused, {
    what: 'these cures are for root to do',
    why: steps.map(({ title }) => title),
    todo: ['sudo qlaunch doctor --fix', 'qlaunch doctor --fix --dry-run   # shows the commands'],
  });
}

function showFixes(fixes: readonly Fixable[], options: DoctorOptions): number {
  if (options.json === true)
    json({ fixes: fixes.map((finding) => ({ id: finding.id, ...fixJson(finding) })) });
  else if (fixes.length === 0) note('nothing that qlaunch could cure by itself');
  else
    for (const { fix } of fixes)
      advise(
        'recover' in fix ? '# take back what killed runs left\nqlaunch recover' : renderPlan(fix).trimEnd(),
      );
  return EXIT.ok;
}

function fixJson({ fix }: Pick<Finding, 'fix'>): object {
  if (fix === undefined) return {};
  return { fix: 'recover' in fix ? { recover: true } : planJson(fix) };
}

/**
 * `doctor --json`: { ok, findings: [{ check, id, about?, state, fact, cure?, looks_at, fix? }], fixed: [{ id, about?,
 * change? }] }. `fix` is a plan as `--dry-run --json` prints it, or { recover: true }.
 */
function tell(findings: readonly CheckedFinding[], fixed: readonly Fixed[], options: DoctorOptions): number {
  const count = (state: FindingState): number => findings.filter((one) => one.state === state).length;
  const [problems, warnings] = [count('problem'), count('warning')];
  const cured = fixed.filter(({ failure }) => failure === undefined);
  if (options.json === true) {
    json({
      ok: problems === 0,
      findings: findings.map(({ looksAt, fix, ...rest }) => ({
        ...rest,
        looks_at: looksAt,
        ...fixJson({ ...(fix === undefined ? {} : { fix }) }),
      })),
      fixed: cured,
    });
  } else {
    for (const { id, change } of cured)
      note(`${id}: done${change === undefined ? '' : `; take it back with: qlaunch undo ${change}`}`);
    const curable = fixable(findings).length;
    const offer = curable === 0 ? '' : `; qlaunch doctor --fix cures ${curable}`;
    note(`${amount(problems, 'problem')}, ${amount(warnings, 'warning')}${offer}`);
  }
  return problems > 0 ? EXIT.refused : EXIT.ok;
}

const amount = (count: number, word: string): string => `${count || 'no'} ${word}${count === 1 ? '' : 's'}`;

const TINTS: Readonly<Record<FindingState, Tint>> = { ok: 'green', warning: 'yellow', problem: 'red' };
const STATE_COLUMNS = 'problem'.length;

function rendered({ id, about, state, fact, cure = [] }: CheckedFinding): string {
  const what = about === undefined ? id : `${id} ${about}`;
  const mark = tint(TINTS[state], state.padEnd(STATE_COLUMNS));
  const tries = cure.map((text) => `${' '.repeat(STATE_COLUMNS)}    try: ${printable(text)}`);
  return [`${mark}  ${printable(`${what}: ${fact}`)}`, ...tries].join('\n');
}
