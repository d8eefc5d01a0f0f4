/** qlaunch changes, undo, recover, confirm: what is open on this host, and taking it back. */
import { EXIT, printable } from '../errors.ts';
import { identity } from '../host/vm/user.ts';
import { renderLifetime } from '../plan/lifetime.ts';
import { confirmChange } from '../run/confirm/confirm.ts';
import { healForwards, unknownForwards } from '../run/forward/heal.ts';
import { openEngine } from '../run/open-engine.ts';
import {
  forgetChange,
  type OpenChange,
  openChanges,
  planRecovery,
  planUndo,
  type Recovered,
  recover as recoverAll,
  undoChange,
} from '../run/recover.ts';
import { planReaping, type Reaped, reapVms } from '../run/vm/reap.ts';
import { listVms, type VmStatus } from '../run/vm/status.ts';
import { json, note, out, table } from './terminal.ts';

declare const QLAUNCH_VERSION: string;

export interface ChangesOptions {
  readonly json?: boolean;
}

const engine = (): ReturnType<typeof openEngine> => openEngine({ tool: `qlaunch ${QLAUNCH_VERSION}` });

export function changes(options: ChangesOptions): number {
  const open = openChanges(engine());
  if (options.json === true) json(open.map(changeJson));
  else if (open.length === 0)
    note(
      process.geteuid?.() === 0
        ? 'nothing on this host is changed by qlaunch'
        : 'no change of yours is open; those of root: sudo qlaunch changes',
    );
  else out(renderChanges(open));
  return open.some(({ change }) => change.trouble !== undefined) ? EXIT.leftovers : EXIT.ok;
}

export interface UndoOptions extends ChangesOptions {
  readonly dryRun?: boolean;
}

export async function undo(
  id: string,
  options: UndoOptions & { readonly forget?: boolean },
): Promise<number> {
  if (options.forget === true) return forget(id, options);
  if (options.dryRun === true) return planned([planUndo(engine(), id)], options);
  return told(await undoChange(engine(), id), options);
}

/** What stays is said, as lines for sh: from now on nobody else knows it. */
async function forget(id: string, options: UndoOptions): Promise<number> {
  const { change } = options.dryRun === true ? planUndo(engine(), id) : await forgetChange(engine(), id);
  const byHand =
    change.trouble?.byHand ??
    change.journal?.open.filter(({ undo }) => !('nothing' in undo)).map((entry) => entry.byHand) ??
    [];
  if (options.json === true) json({ forgotten: id, by_hand: byHand });
  else {
    note(
      `${id}: ${options.dryRun === true ? 'only its journal would go' : 'forgotten'}; nothing else is touched`,
    );
    if (byHand.length > 0)
      note(['what stays would be taken back by:', ...byHand.map(printable)].join('\n  '));
  }
  return EXIT.ok;
}

export async function recover(options: UndoOptions): Promise<number> {
  if (options.dryRun === true)
    return planned(
      planRecovery(engine()),
      options,
      planReaping(vms()),
      unknownForwards(engine(), vms()).flatMap(({ vm, entries }) => [
        `# VM ${vm}: what a killed command left`,
        ...entries.map(({ byHand }) => printable(byHand)),
      ]),
    );
  // What an interrupted start left is no change of the host, and is found by the VM's own record.
  const reaped = reapVms(vms());
  const result = await recoverAll(engine());
  const healed = await engine().locked('recover', () => healForwards(engine(), vms()));
  const said = reaped.map(({ vm, pids }) => `VM ${vm.record.name}: ended its passt (pid ${pids.join(', ')})`);
  const exit = healed.left.length > 0 && result.exit === EXIT.ok ? EXIT.leftovers : result.exit;
  return told(
    {
      ...result,
      exit,
      left: [...result.left, ...healed.left],
      said: [...said, ...result.said, ...healed.said],
    },
    options,
  );
}

const vms = (): readonly VmStatus[] => listVms(identity(process.env), process.env);

export async function confirm(id: string): Promise<number> {
  const { head } = await confirmChange(engine(), id);
  note(`${head.title} (${id}) is kept`);
  return EXIT.ok;
}

/** With --json as `changes --json`, whose rows have their decision; what is no change is a remark then. */
export function planned(
  open: readonly OpenChange[],
  options: ChangesOptions,
  reaping: readonly Reaped[] = [],
  more: readonly string[] = [],
): number {
  const others = [
    ...reaping.flatMap(({ vm, pids }) => [`# VM ${vm.record.name}: end its passt`, `kill ${pids.join(' ')}`]),
    ...more,
  ];
  if (options.json === true) {
    json(open.map(changeJson));
    for (const line of others) note(line);
  } else if (others.length === 0) out(renderPlanned(open));
  else out([...others, ...(open.length > 0 ? [renderPlanned(open)] : [])].join('\n'));
  return EXIT.ok;
}

/** Lines for sh, newest first; what is only read is a comment. The real undo looks first whether a thing is still ours. */
export function renderPlanned(open: readonly OpenChange[]): string {
  const lines = open.flatMap(({ change: { id, journal }, decision: { kind, why } }) => {
    if (kind === 'leave') return [];
    if (kind !== 'undo' || journal === undefined)
      return [`# ${id}: ${kind === 'forget' ? 'only its journal goes' : 'not touched'}: ${printable(why)}`];
    const steps = journal.open.filter(({ undo }) => !('nothing' in undo));
    return [`# ${id}: ${printable(journal.head.title)}`, ...steps.map(({ byHand }) => printable(byHand))];
  });
  return lines.length === 0 ? '# nothing to take back' : lines.join('\n');
}

/** Shows what was taken back. */
export function told(result: Recovered, options: ChangesOptions): number {
  if (options.json === true) json(recoveredJson(result));
  else note(renderRecovered(result));
  return result.exit;
}

/** One line per change; below it, for those that can not be read, what to type instead of us. */
export function renderChanges(open: readonly OpenChange[]): string {
  const rows = open.map(({ change, decision }) => {
    const head = change.journal?.head;
    const since =
      head === undefined ? '-' : new Date(head.sinceMs).toISOString().slice(0, 16).replace('T', ' ');
    const whose = head === undefined ? (change.trouble?.kind ?? 'void') : renderLifetime(head.lifetime);
    return [change.id, whose, since, head?.title ?? '-', decision.why];
  });
  const hints = open.flatMap(
    ({ change }) => change.trouble?.cure.map((line) => `${change.id}: ${printable(line)}`) ?? [],
  );
  const lines = [table(['ID', 'WHOSE', 'SINCE (UTC)', 'WHAT', 'NOTE'], rows)];
  if (hints.length > 0)
    lines.push('', 'To take back by hand what can not be read wholly, newest first:', ...hints);
  return lines.join('\n');
}

/**
 * `changes --json`: id, whose ("vm web", "net default", "until undone", "permanent"), title, since (ISO 8601),
 * decision ("undo", "leave", "forget", "report") with why, holder (pid, "until-undone" or null), and steps, newest
 * first: title, state as in run/journal/entry.ts, undo as text for sh or why there is
 * nothing to undo. Of a journal that can not be read only id,
 * trouble { kind, path, why } and by_hand.
 */
export function changeJson({ change, decision }: OpenChange): object {
  const { id, journal, trouble } = change;
  const common = { id, decision: decision.kind, why: decision.why };
  if (trouble !== undefined) {
    const { kind, path, why, byHand } = trouble;
    return { ...common, trouble: { kind, path, why }, by_hand: byHand };
  }
  if (journal === undefined) return common;
  const { head, entries } = journal;
  const steps = [...entries]
    .reverse()
    .map(({ title, state, undo, byHand }) =>
      'nothing' in undo ? { title, state, nothing: undo.nothing } : { title, state, undo: byHand },
    );
  const holder = head.holder === null || head.holder === 'until-undone' ? head.holder : head.holder.pid;
  const since = new Date(head.sinceMs).toISOString();
  return {
    ...common,
    whose: renderLifetime(head.lifetime),
    title: head.title,
    since,
    tool: head.tool,
    holder,
    steps,
  };
}

export function renderRecovered({ undone, left, said, reported }: Recovered): string {
  const lines = [
    ...undone.map((id) => `${id}: taken back`),
    ...said.map(printable),
    ...left.flatMap((one) => [
      `${one.id}: left over: "${printable(one.title)}": ${printable(one.why)}`,
      `  try: ${printable(one.byHand)}`,
    ]),
    ...reported.flatMap(({ change, decision }) => [
      `${change.id}: not touched: ${printable(decision.why)}`,
      ...(change.trouble?.cure.map((line) => `  try: ${printable(line)}`) ?? []),
    ]),
  ];
  return lines.length === 0 ? 'nothing to take back' : lines.join('\n');
}

/** `undo --json`, `recover --json`. `left` is what to finish by hand, `reported` what we may not touch. */
export function recoveredJson({ undone, left, said, reported }: Recovered): object {
  const open = left.map(({ id, title, why, byHand, stuck }) => ({ id, title, why, by_hand: byHand, stuck }));
  return { undone, left: open, said, reported: reported.map(changeJson) };
}
