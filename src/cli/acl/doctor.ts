/** qlaunch acl init | doctor */
import { EXIT } from '../../errors.ts';
import { type ChainWish, helperChain } from '../../host/acl/chain.ts';
import { readAclFile } from '../../host/acl/read.ts';
import { linuxMachine } from '../../host/linux.ts';
import { aclDiff } from '../../plan/acl/diff.ts';
import { DEFAULT_GROUP, grantText } from '../../plan/acl/helper.ts';
import type { Finding, FindingState } from '../../plan/doctor/finding.ts';
import { planJson, renderPlan } from '../../plan/render.ts';
import { shellWord } from '../../plan/shell.ts';
import type { Step } from '../../plan/step.ts';
import { needsRoot } from '../../run/acl/edit.ts';
import { applyUntilUndone, fixChain, planInit, stepsOf } from '../../run/acl/init.ts';
import { aclTarget } from '../../run/acl/target.ts';
import { openEngine } from '../../run/open-engine.ts';
import { advise, json, note, out, type Tint, tint } from '../terminal.ts';
import type { EditOptions } from './edit.ts';
import { refuseNoName, userOf } from './look.ts';

declare const QLAUNCH_VERSION: string;

export interface InitOptions extends EditOptions {
  readonly helper?: string;
}

export async function init(options: InitOptions): Promise<number> {
  const host = linuxMachine();
  const target = await aclTarget(host, options.file);
  const plan = (): Promise<readonly Step[]> => planInit(host, target, options.helper);
  const title = `acl init${flag('helper', options.helper)}${flag('file', options.file)}`;
  const steps = await plan();
  const id = await carryOut(title, steps, plan, options);
  if (options.json === true) json({ ...planJson({ steps }), undo: id ?? null });
  else if (steps.length === 0) note('qlaunch: all is as wanted already');
  if (options.helper !== undefined && options.json !== true)
    note(grantText(options.helper, target.path).join('\n'));
  return EXIT.ok;
}

export interface DoctorOptions extends InitOptions {
  readonly user?: string;
  readonly fix?: boolean;
}

/** QEMU's own (DEFAULT_BRIDGE_INTERFACE in include/net/net.h), and that of `--net bridge`. */
const DEFAULT_BRIDGE = 'br0';

export async function doctor(bridge: string | undefined, options: DoctorOptions): Promise<number> {
  const host = linuxMachine();
  const target = await aclTarget(host, options.file);
  const about = bridge ?? DEFAULT_BRIDGE;
  refuseNoName(about);
  const wish: ChainWish = {
    user: userOf(`acl doctor ${shellWord(about)}`, options.user),
    bridge: about,
    // Where the helper itself names another list than its binary does, it is right.
    ...(options.file === undefined && target.path === target.helper?.acl ? {} : { file: target.path }),
    ...(options.helper === undefined ? {} : { group: options.helper }),
  };
  let findings = await helperChain(host, wish);
  const steps = options.fix === true ? stepsOf(findings) : [];
  if (steps.length > 0) {
    if (options.json !== true) advise(renderFindings(findings));
    const title = `acl doctor ${shellWord(wish.bridge)} --fix${flag('user', options.user)}${flag('helper', options.helper)}${flag('file', options.file)}`;
    await carryOut(title, steps, fixChain(host, wish), options);
    const grants = findings.some(({ id, fix }) => id === 'helper-privilege' && fix !== undefined);
    if (grants) note(grantText(options.helper ?? DEFAULT_GROUP, target.path).join('\n'));
    if (options.dryRun === true) {
      if (options.json === true) json({ findings: findings.map(findingJson), ...planJson({ steps }) });
      return exitOf(findings);
    }
    findings = await helperChain(host, wish);
  }
  if (options.json === true) json(findings.map(findingJson));
  else advise(renderFindings(findings));
  return exitOf(findings);
}

const flag = (name: string, value: string | undefined): string =>
  value === undefined ? '' : ` --${name} ${shellWord(value)}`;

const exitOf = (findings: readonly Finding[]): number =>
  findings.some(({ state }) => state === 'problem') ? EXIT.refused : EXIT.ok;

/** Prints the plan, then does it; with --dry-run only that. Gives the id for undo. Errors: QL_NEEDS_ROOT. */
async function carryOut(
  title: string,
  steps: readonly Step[],
  plan: () => Promise<readonly Step[]>,
  options: EditOptions,
): Promise<string | undefined> {
  if (steps.length === 0) return undefined;
  if (options.json !== true) out(steps.map(shownStep).join('\n'));
  if (options.dryRun === true) return undefined;
  if (process.geteuid?.() !== 0)
    throw needsRoot(
      title,
      steps.map((step) => step.title),
    );
  const id = await applyUntilUndone(openEngine({ tool: `qlaunch ${QLAUNCH_VERSION}` }), title, plan);
  if (id !== undefined) note(`qlaunch: done; taken back by: sudo qlaunch undo ${id}`);
  return id;
}

/** A file as a unified diff, anything else as the line for sh that is run. */
function shownStep(step: Step): string {
  if (!('file' in step.do)) return renderPlan({ steps: [step] }).trimEnd();
  const { file, content, base64 } = step.do;
  const after = Buffer.from(content, base64 === true ? 'base64' : 'utf8').toString('latin1');
  const before = readAclFile(file);
  const rights = `mode ${step.do.mode.toString(8)}`;
  return `# ${step.title} (${rights})\n${aclDiff(file, 'text' in before ? before.text : undefined, after)}`;
}

const TINT: Readonly<Record<FindingState, Tint>> = { ok: 'green', warning: 'yellow', problem: 'red' };

function renderFindings(findings: readonly Finding[]): string {
  return findings
    .flatMap(({ state, fact, cure = [] }) => [
      `${tint(TINT[state], state.padEnd(8))} ${fact}`,
      ...(state === 'ok' ? [] : cure.map((line) => `           try: ${line}`)),
    ])
    .join('\n');
}

/** `doctor --json`: id, about, state, fact, cure (what to type), fixable. */
function findingJson({ id, about, state, fact, cure = [], fix }: Finding): object {
  return { id, ...(about === undefined ? {} : { about }), state, fact, cure, fixable: fix !== undefined };
}
