/** `acl init`, `acl doctor --fix`: what makes the helper usable, as one change that `qlaunch undo` takes back. */
import { dirname } from 'node:path';
import { EXIT, QlaunchError } from '../../errors.ts';
import { type ChainWish, helperChain } from '../../host/acl/chain.ts';
import { editAcl } from '../../host/acl/edit.ts';
import { grantSteps } from '../../host/acl/grant.ts';
import { mayGetRights } from '../../host/acl/helper.ts';
import type { Host } from '../../host/port.ts';
import { installLine } from '../../host/qemu/install.ts';
import { groupId } from '../../host/vm/names.ts';
import { exampleAcl } from '../../plan/acl/example.ts';
import { usualMode } from '../../plan/acl/file.ts';
import type { Finding } from '../../plan/doctor/finding.ts';
import { shellLine } from '../../plan/shell.ts';
import type { Step } from '../../plan/step.ts';
import { execute, newId } from '../change/execute.ts';
import type { Engine } from '../engine.ts';
import type { AclTarget } from './target.ts';

/**
 * A list where there is none, and, with a group, the helper's rights. Empty when all is as wanted.
 * Errors: QL_BRIDGE_HELPER_MISSING, QL_BRIDGE_HELPER_UNSAFE, QL_NO_GROUP, QL_ACL_UNSAFE.
 */
export async function planInit(
  host: Pick<Host, 'run'>,
  target: AclTarget,
  group?: string,
): Promise<readonly Step[]> {
  const gid = group === undefined ? undefined : requireGroup(group);
  const rights = gid === undefined ? usualMode(target.helper) : usualMode({ mode: 0o4750, gid });
  const { before, steps } = editAcl(target.path, (text) => (text === '' ? exampleAcl() : text), rights);
  const list = before === undefined ? steps : [];
  if (group === undefined || gid === undefined) return list;
  if (target.helper === undefined)
    throw new QlaunchError('QL_BRIDGE_HELPER_MISSING', EXIT.host, {
      what: 'QEMU’s bridge helper is not installed',
      todo: [installLine('bridge-helper')],
    });
  if (!mayGetRights(target.helper))
    throw new QlaunchError('QL_BRIDGE_HELPER_UNSAFE', EXIT.refused, {
      what: `${target.helper.path} is not made setuid root`,
      why: ['not only root could have put it there, or could change it'],
      todo: [`ls -ld ${shellLine([target.helper.real, dirname(target.helper.real)])}`],
    });
  return [...list, ...(await grantSteps(host, target.helper, group, gid))];
}

function requireGroup(group: string): number {
  const gid = groupId(group);
  if (gid !== undefined) return gid;
  throw new QlaunchError('QL_NO_GROUP', EXIT.usage, {
    what: `there is no group "${group}"`,
    todo: [`sudo groupadd --system ${group}`, 'getent group'],
  });
}

/** What the chain's findings would do about themselves. */
export const stepsOf = (findings: readonly Finding[]): readonly Step[] =>
  findings.flatMap(({ state, fix }) =>
    state !== 'ok' && fix !== undefined && 'steps' in fix ? fix.steps : [],
  );

/** Planned anew under the lock. Gives the id for `qlaunch undo`; undefined when there was nothing to do. */
export function applyUntilUndone(
  engine: Engine,
  title: string,
  plan: () => Promise<readonly Step[]>,
): Promise<string | undefined> {
  return engine.locked(title, async () => {
    const steps = await plan();
    if (steps.length === 0) return undefined;
    const id = newId(engine);
    const kept = { lifetime: { untilUndone: id }, holder: 'until-undone', id } as const;
    await execute(engine, { steps }, { title, ...kept });
    return id;
  });
}

export const fixChain =
  (host: Pick<Host, 'run'>, wish: ChainWish): (() => Promise<readonly Step[]>) =>
  async () =>
    stepsOf(await helperChain(host, wish));
