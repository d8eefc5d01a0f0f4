/** qlaunch vfio bind | unbind | restore */
import { EXIT, QlaunchError } from '../../errors.ts';
import { identity } from '../../host/vm/user.ts';
import { planJson, renderPlan } from '../../plan/render.ts';
import { shellLine } from '../../plan/shell.ts';
import { FORCEABLE } from '../../plan/vfio/checks.ts';
import type { Engine } from '../../run/engine.ts';
import { openEngine } from '../../run/open-engine.ts';
import { planRecovery } from '../../run/recover.ts';
import {
  type Bound,
  bindFunctions,
  type Prepared,
  prepareBind,
  prepareUnbind,
  unbindFunctions,
} from '../../run/vfio/bind.ts';
import { rebindsIn } from '../../run/vfio/changes.ts';
import { changesToRestore, healDead, plannedRestore, restore as restoreAll } from '../../run/vfio/restore.ts';
import { planned, told } from '../changes.ts';
import { requireRoot } from '../root.ts';
import { advise, json, note, out } from '../terminal.ts';
import { readSelector } from './selector.ts';

declare const QLAUNCH_VERSION: string;

const engineNow = (): Engine => openEngine({ tool: `qlaunch ${QLAUNCH_VERSION}` });
const ROOTS = 'only root may change a device’s driver';

interface Show {
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

export interface BindOptions extends Show {
  readonly group?: boolean;
  readonly force?: string;
  readonly user?: string;
  readonly confirm?: string;
}

export async function bind(selectors: readonly string[], options: BindOptions): Promise<number> {
  const { user } = identity(process.env, options.user);
  const confirmSeconds = options.confirm === undefined ? undefined : secondsOf(options.confirm);
  const order = {
    selectors: selectors.map((text) => readSelector(text)),
    wholeGroup: options.group === true,
    force: forced(options.force),
    owner: { uid: user.uid, gid: user.gid },
    command: shellLine([
      'sudo',
      'qlaunch',
      'vfio',
      'bind',
      ...selectors,
      ...(options.group === true ? ['--group'] : []),
    ]),
    ...(confirmSeconds === undefined ? {} : { confirmSeconds }),
  };
  const engine = engineNow();
  if (options.dryRun === true) return show(await prepareBind(engine, order), options);
  requireRoot(ROOTS);
  const bound = await bindFunctions(engine, order);
  tell(bound, options);
  if (options.json === true) return EXIT.ok;
  const addresses = bound.functions.map(({ address }) => address).join(' ');
  advise(
    [
      ...bound.functions.map(
        (one) =>
          `${one.address} ${bound.before.includes(one) ? 'was on' : 'is on'} ${one.vfio ? one.driver : 'vfio-pci'}, IOMMU group ${one.group}`,
      ),
      ...bound.functions.slice(0, 1).map(({ address }) => `  use      qlaunch IMAGE --net vfio:${address}`),
      ...(bound.id === undefined ? [] : [`  restore  sudo qlaunch vfio restore ${addresses}`]),
      ...(bound.id === undefined || confirmSeconds === undefined
        ? []
        : [`  keep     sudo qlaunch confirm ${bound.id}   # within ${confirmSeconds} s`]),
    ].join('\n'),
  );
  return EXIT.ok;
}

export async function unbind(selectors: readonly string[], options: BindOptions): Promise<number> {
  const order = {
    selectors: selectors.map((text) => readSelector(text)),
    force: forced(options.force),
    command: shellLine(['sudo', 'qlaunch', 'vfio', 'unbind', ...selectors]),
  };
  const engine = engineNow();
  if (options.dryRun === true) return show(await prepareUnbind(engine, order), options);
  requireRoot(ROOTS);
  const bound = await unbindFunctions(engine, order);
  tell(bound, options);
  if (options.json !== true)
    advise(
      [
        ...bound.functions.map(({ address }) => `${address} has no driver`),
        `  restore  sudo qlaunch vfio restore ${bound.functions.map(({ address }) => address).join(' ')}`,
      ].join('\n'),
    );
  return EXIT.ok;
}

export interface RestoreOptions extends Show {
  readonly all?: boolean;
}

export async function restore(texts: readonly string[], options: RestoreOptions): Promise<number> {
  const engine = engineNow();
  if (options.all === true && texts.length > 0)
    throw new QlaunchError('QL_USAGE', EXIT.usage, {
      what: '--all takes no selector',
      todo: ['qlaunch vfio restore --all'],
    });
  const selectors = options.all === true ? 'all' : texts.map((text) => readSelector(text));
  const dead = selectors.length === 0;
  if (options.dryRun === true) {
    if (dead)
      return planned(
        planRecovery(engine).filter(({ change }) => rebindsIn(change).length > 0),
        options,
      );
    const { ids, said } = await changesToRestore(engine, selectors);
    for (const line of said) note(line);
    return planned(plannedRestore(engine, ids), options);
  }
  requireRoot(ROOTS);
  return told(dead ? await healDead(engine) : await restoreAll(engine, selectors), options);
}

function show(prepared: Prepared, options: Show): number {
  warn(prepared);
  if (options.json === true) json(planJson(prepared.plan));
  else out(renderPlan(prepared.plan).trimEnd() || '# nothing to do');
  return EXIT.ok;
}

const warn = ({ warnings }: Pick<Prepared, 'warnings'>): void => {
  for (const { device, what } of warnings) note(`${device}: ${what}`);
};

/** --json: { id, functions: [{ address, group, from }] }; id null: there was nothing to do. */
function tell(bound: Bound, options: Show): void {
  warn(bound);
  if (options.json !== true) return;
  const functions = bound.functions.map(({ address, group, driver }) => ({
    address,
    group: group ?? null,
    from: driver ?? null,
  }));
  json({ id: bound.id ?? null, functions });
}

/** Throws QL_USAGE: a name of no check, or of one that nothing can overrule. */
function forced(text: string | undefined): readonly string[] {
  const words = (text ?? '').split(',').filter(Boolean);
  const unknown = words.filter((word) => !FORCEABLE.some((one) => one === word));
  if (unknown.length === 0 && (text === undefined || words.length > 0)) return words;
  throw new QlaunchError('QL_USAGE', EXIT.usage, {
    what: `--force: ${unknown.length === 0 ? 'no check is named' : `${unknown.join(', ')} can not be forced`}`,
    todo: [`one or more of ${FORCEABLE.join(',')}`],
  });
}

function secondsOf(text: string): number {
  const [, number, unit] = /^(\d+)(s|m)?$/.exec(text) ?? [];
  const seconds = Number(number) * (unit === 'm' ? 60 : 1);
  if (seconds >= 1 && seconds <= 86_400) return seconds;
  throw new QlaunchError('QL_USAGE', EXIT.usage, {
    what: `--confirm: "${text}" is no time`,
    todo: ['--confirm 60s', '--confirm 2m'],
  });
}
