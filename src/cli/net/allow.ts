/** `net start --allow USER|GROUP`: what a user's own QEMU needs to plug guests in through the bridge helper. */
import { EXIT, QlaunchError } from '../../errors.ts';
import { type ChainWish, helperChain } from '../../host/acl/chain.ts';
import { linuxMachine } from '../../host/linux.ts';
import { groupId, groupName, isMember } from '../../host/vm/names.ts';
import { type Identity, userNamed } from '../../host/vm/user.ts';
import { DEFAULT_GROUP, grantText } from '../../plan/acl/helper.ts';
import { renderPlan } from '../../plan/render.ts';
import { shellWord } from '../../plan/shell.ts';
import type { Step } from '../../plan/step.ts';
import { applyUntilUndone, fixChain, stepsOf } from '../../run/acl/init.ts';
import { aclTarget } from '../../run/acl/target.ts';
import type { Engine } from '../../run/engine.ts';
import { note } from '../terminal.ts';

/** linux/Documentation/admin-guide/sysctl/fs.rst: overflowuid. Somebody who is nothing but a member of the group. */
const ANYBODY = 65_534;

/** Whom to allow. Errors: QL_NO_USER. */
export function allowedOf(key: string, bridge: string): ChainWish {
  const user = userNamed(key);
  if (user !== undefined) {
    // A group that the user is in already: nobody has to log in again.
    const group = isMember(user, DEFAULT_GROUP) ? DEFAULT_GROUP : groupName(user.gid);
    return { user: { user, dropTo: true, root: true }, bridge, group };
  }
  const gid = groupId(key);
  if (gid === undefined)
    throw new QlaunchError('QL_NO_USER', EXIT.usage, {
      what: `--allow: there is no user and no group "${key}"`,
      todo: ['getent passwd', 'getent group'],
    });
  const member: Identity = {
    user: { uid: ANYBODY, gid, name: `member of ${key}`, home: '/' },
    dropTo: true,
    root: true,
  };
  return { user: member, bridge, group: key };
}

/** The steps, before the bridge is there. */
export async function plannedAllow(wish: ChainWish): Promise<readonly Step[]> {
  return stepsOf(await helperChain(linuxMachine(), wish));
}

/** Prints the steps, does them, and says what it grants. Gives an exit status: what no step can cure is told. */
export async function allow(engine: Engine, key: string, wish: ChainWish): Promise<number> {
  const host = linuxMachine();
  const steps = await plannedAllow(wish);
  if (steps.length > 0) {
    note(renderPlan({ steps }).trimEnd());
    const title = `net start --allow ${shellWord(key)}, for ${wish.bridge}`;
    const id = await applyUntilUndone(engine, title, fixChain(host, wish));
    if (id !== undefined) note(`qlaunch: done; taken back by: sudo qlaunch undo ${id}`);
    const { path } = await aclTarget(host, undefined);
    note(grantText(wish.group ?? DEFAULT_GROUP, path).join('\n'));
  }
  const problems = (await helperChain(host, wish)).filter(({ state }) => state === 'problem');
  for (const { fact, cure = [] } of problems) note([`qlaunch: ${fact}`, ...cure].join('\n  try: '));
  return problems.length === 0 ? EXIT.ok : EXIT.refused;
}
