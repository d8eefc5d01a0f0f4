/** qlaunch install-hooks */

import { join, resolve } from 'node:path';
import { EXIT } from '../errors.ts';
import { hookProgram } from '../host/hook/programs.ts';
import { planJson, renderPlan } from '../plan/render.ts';
import { shellWord } from '../plan/shell.ts';
import type { FilePath } from '../plan/step.ts';
import {
  type InstallWish,
  installations,
  installHooks,
  installPlan,
  uninstallHooks,
} from '../run/hook/install.ts';
import { openEngine } from '../run/open-engine.ts';
import { recoveredJson, renderRecovered } from './changes.ts';
import { json, note, out } from './terminal.ts';
import { requireTrusted } from './trusted.ts';

declare const QLAUNCH_VERSION: string;

export interface InstallHooksOptions {
  readonly prefix?: string;
  readonly uninstall?: boolean;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** Every QEMU that root starts runs these hooks. Throws QL_STATE_UNSAFE where others could change them. */
export async function installHooksCommand(options: InstallHooksOptions): Promise<number> {
  const directory = join(resolve(options.prefix ?? '/'), 'etc') as FilePath;
  if (options.uninstall === true) return uninstall(directory, options);
  const engine = openEngine({ tool: `qlaunch ${QLAUNCH_VERSION}` });
  const wish: InstallWish = {
    directory,
    programs: { 'qemu-ifup': hookProgram('qemu-ifup'), 'qemu-ifdown': hookProgram('qemu-ifdown') },
  };
  requireTrusted(Object.values(wish.programs), 'these hooks');
  if (options.dryRun === true) {
    const plan = await installPlan(engine, wish);
    if (options.json === true) json(planJson(plan));
    else out(renderPlan(plan).trimEnd());
    return EXIT.ok;
  }
  const id = await installHooks(engine, wish);
  if (options.json === true) json({ id: id ?? null, directory });
  else if (id === undefined) note(`${directory}/qemu-ifup and qemu-ifdown are ours already`);
  else
    note(
      `${directory}/qemu-ifup and qemu-ifdown are ours; back: qlaunch install-hooks --uninstall${again(options)}`,
    );
  return EXIT.ok;
}

const again = ({ prefix }: InstallHooksOptions): string =>
  prefix === undefined ? '' : ` --prefix ${shellWord(prefix)}`;

async function uninstall(directory: FilePath, options: InstallHooksOptions): Promise<number> {
  const engine = openEngine({ tool: `qlaunch ${QLAUNCH_VERSION}` });
  if (options.dryRun === true) {
    const open = installations(engine, directory).flatMap(({ change }) => change.journal?.open ?? []);
    if (options.json === true) json(open.map(({ title, byHand }) => ({ title, undo: byHand })));
    else if (open.length > 0) out(open.map(({ byHand }) => byHand).join('\n'));
    return EXIT.ok;
  }
  const results = await uninstallHooks(engine, directory);
  if (options.json === true) json(results.map(recoveredJson));
  else if (results.length === 0) note(`nothing in ${directory} was put there by install-hooks`);
  else for (const result of results) note(renderRecovered(result));
  return results.find(({ exit }) => exit !== EXIT.ok)?.exit ?? EXIT.ok;
}
