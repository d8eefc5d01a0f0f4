/** The dead-man's switch: a detached watcher that takes a change back unless somebody who still reaches us confirms. */
import { EXIT, QlaunchError } from '../../errors.ts';
import type { ProcessId } from '../../host/port.ts';
import type { Argv } from '../../plan/step.ts';
import { renderUndoScript } from '../change/undo-script.ts';
import type { Engine } from '../engine.ts';
import type { Journal } from '../journal/journal.ts';
import { loadChange } from '../journal/load.ts';
import { renderWatch, type WatchFiles } from './watch-script.ts';

export interface Armed {
  readonly watcher: ProcessId;
  /** Renders the undo anew; an Order's onJournal. */
  readonly onJournal: (journal: Journal) => Promise<void>;
  /** The plan is carried out: from now on the actor is not to be killed. */
  readonly made: () => void;
}

const SCRIPTS = ['armed', 'made', 'undo', 'log', 'watch', 'pending'] as const;
export const confirmFile = (id: string, what: (typeof SCRIPTS)[number] | 'decided'): string =>
  `${id}.${what}`;

/** Whether somebody may still confirm it. */
export const isOnTrial = (engine: Engine, id: string): boolean =>
  engine.confirm.read(confirmFile(id, 'pending')) !== undefined;

const TOOLS = ['cat', 'mkdir', 'mv', 'rm', 'rmdir', 'sh', 'sleep'];
const ARMED_WITHIN_MS = 5_000;

/** Throws QL_NOT_ARMED (exit 4), and nothing was changed, when the watcher does not answer. */
export async function arm(engine: Engine, id: string, seconds: number): Promise<Armed> {
  const path = (what: (typeof SCRIPTS)[number] | 'decided'): string =>
    engine.confirm.path(confirmFile(id, what));
  const files: WatchFiles = {
    armed: path('armed'),
    made: path('made'),
    decided: path('decided'),
    undo: path('undo'),
    log: path('log'),
    rest: [path('watch'), path('pending')],
  };
  const tools: string[] = [];
  for (const tool of TOOLS) tools.push((await engine.machine.which(tool)) ?? tool);
  engine.confirm.replace(confirmFile(id, 'undo'), '# Nothing was journaled yet.\n');
  engine.confirm.replace(
    confirmFile(id, 'watch'),
    renderWatch({ id, seconds, tools, actor: engine.world.self, files }),
  );
  const start = await launcher(engine, id, path('watch'));
  const result = await engine.machine.run(start, { timeoutMs: ARMED_WITHIN_MS });
  const watcher = result.status === 0 ? await acknowledged(engine, id) : undefined;
  if (watcher === undefined) {
    const said = [result.stderr.trim(), engine.confirm.read(confirmFile(id, 'log'))?.trim()].filter(
      (text) => text,
    );
    clear(engine, id);
    throw new QlaunchError('QL_NOT_ARMED', EXIT.host, {
      what: 'the watcher that would take the change back did not start',
      why: ['nothing was changed', ...said.map(String)],
      todo: [start.join(' ')],
    });
  }
  return {
    watcher,
    onJournal: (journal) => rearm(engine, id, journal),
    made: () => engine.confirm.replace(confirmFile(id, 'made'), ''),
  };
}

async function rearm(engine: Engine, id: string, journal: Journal): Promise<void> {
  const lock = { path: engine.lockPath, waitSeconds: 10, insist: true };
  engine.confirm.replace(confirmFile(id, 'undo'), await renderUndoScript(engine, journal, { lock }));
}

/** After the journal of what is on trial was changed, and under the same lock: the watcher does what it says now. */
export async function rearmTrial(engine: Engine, id: string, journal: Journal): Promise<void> {
  if (isOnTrial(engine, id)) await rearm(engine, id, journal);
}

/**
 * systemd starts it outside of our session, where a logout does not reach it; but in its own namespaces, so only
 * where those are ours as well.
 */
async function launcher(engine: Engine, id: string, script: string): Promise<Argv> {
  const { machine } = engine;
  const systemd =
    (await machine.stat('/run/systemd/system')) !== undefined &&
    (await machine.which('systemd-run')) !== undefined;
  if (systemd && (await sharesNamespaces(engine))) {
    return [
      'systemd-run',
      '--quiet',
      '--collect',
      `--unit=qlaunch-confirm-${id}`,
      '--property=OOMScoreAdjust=-1000',
      '/bin/sh',
      script,
    ];
  }
  return ['setsid', '--fork', '/bin/sh', script];
}

async function sharesNamespaces({ machine }: Engine): Promise<boolean> {
  const of = async (pid: string): Promise<string> =>
    (await machine.run(['readlink', ...['net', 'mnt', 'pid'].map((kind) => `/proc/${pid}/ns/${kind}`)]))
      .stdout;
  const ours = await of('self');
  return ours !== '' && ours === (await of('1'));
}

async function acknowledged(engine: Engine, id: string): Promise<ProcessId | undefined> {
  for (let waitedMs = 0; waitedMs < ARMED_WITHIN_MS; waitedMs += 20) {
    const text = engine.confirm.read(confirmFile(id, 'armed'));
    if (text !== undefined) return engine.world.process(Number(text.trim()));
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return undefined;
}

/** Trials whose watcher is dead and whose journal is closed: only their files are left. */
export async function forgetTrials(engine: Engine): Promise<void> {
  const ids = new Set(engine.confirm.list().map((name) => name.split('.')[0] ?? ''));
  for (const id of ids) {
    const pid = Number(engine.confirm.read(confirmFile(id, 'armed'))?.trim());
    const watched = pid > 0 && engine.world.process(pid) !== undefined;
    if (watched || loadChange(engine.stores, engine.world, id).journal !== undefined) continue;
    clear(engine, id);
    await engine.machine.rmdir(engine.confirm.path(confirmFile(id, 'decided')));
  }
}

/** Everything of it but the decision. */
export function clear(engine: Engine, id: string): void {
  for (const what of SCRIPTS) engine.confirm.remove(confirmFile(id, what));
}
