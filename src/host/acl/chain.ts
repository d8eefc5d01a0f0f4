/**
 * All that has to be right before QEMU's bridge helper gives a user a tap on a bridge, in the order in which the
 * helper meets it (qemu-bridge-helper.c). Nothing is changed; what hangs on a broken link is not looked at.
 */
import type { Finding } from '../../plan/doctor/finding.ts';
import type { Host } from '../port.ts';
import { helperPlaces } from '../qemu/helper.ts';
import { installLine } from '../qemu/install.ts';
import type { Identity } from '../vm/user.ts';
import { aclFindings } from './chain/acl.ts';
import { bridgeFinding, tunFinding } from './chain/devices.ts';
import { helperFindings } from './chain/helper.ts';
import { type BridgeHelper, chosenHelper, inspectHelper, isRootsOwn } from './helper.ts';

export interface ChainWish {
  /** Whose QEMU calls the helper. Root, or ourselves: it is looked at with this user's rights. */
  readonly user: Identity;
  /** An interface's name (spec/ifname.ts). */
  readonly bridge: string;
  /** The helper that was asked for (`helper=`, the INI key). */
  readonly helper?: string;
  /** What QEMU's -help names; tried before the distributions' places. */
  readonly builtIn?: string;
  /** Another list than the one this helper reads. */
  readonly file?: string;
  /** QEMU's working directory, where a relative include is looked up; ours unless given. */
  readonly cwd?: string;
  /** Who may use the helper after `--fix`; DEFAULT_GROUP unless given. */
  readonly group?: string;
}

/**
 * Ids, in this order: helper-found, helper-runs, helper-privilege, helper-mount, no-new-privs, acl-file, acl-parses,
 * acl-allows, acl-rules (warnings only), tun-device, bridge. One that can not be judged because an earlier one is a
 * problem is left out.
 */
export async function helperChain(host: Pick<Host, 'run'>, wish: ChainWish): Promise<readonly Finding[]> {
  const [found, helper] = findHelper(wish);
  const ofHelper = helper === undefined ? [] : await helperFindings(host, helper, wish);
  const path = wish.file ?? helper?.acl;
  const acl = path === undefined ? [] : aclFindings(path, helper, wish);
  // Whose helper it is says which file is written.
  const named = wish.file === undefined && helper !== undefined && !isRootsOwn(helper);
  const ofAcl = named ? acl.map(({ fix: _, cure: __, ...fact }) => fact) : acl;
  return [found, ...ofHelper, ...ofAcl, tunFinding(wish.user), await bridgeFinding(host, wish.bridge)];
}

function findHelper(wish: ChainWish): [Finding, BridgeHelper | undefined] {
  const path = chosenHelper(wish);
  const helper = path === undefined ? undefined : inspectHelper(path);
  if (helper !== undefined) {
    const fact = `QEMU’s bridge helper is ${helper.path}`;
    return [{ id: 'helper-found', state: 'ok', fact }, helper];
  }
  const looked = wish.helper === undefined ? helperPlaces(wish.builtIn) : [wish.helper];
  const missing: Finding = {
    id: 'helper-found',
    state: 'problem',
    fact: `QEMU’s bridge helper is not installed: looked for ${looked.join(', ')}`,
    cure: [installLine('bridge-helper')],
  };
  return [missing, undefined];
}
