/** Which list of bridges is meant. */
import { resolve } from 'node:path';
import { type BridgeHelper, chosenHelper, confirmAclPath, inspectHelper } from '../../host/acl/helper.ts';
import type { Host } from '../../host/port.ts';
import { USUAL_ACL } from '../../spec/acl/helper-path.ts';

export interface AclTarget {
  /** Absolute. */
  readonly path: string;
  readonly helper?: BridgeHelper;
  /**
   * file: it was named. confirmed: the helper itself said so. computed: from the helper's binary. usual: there is no
   * helper that could tell.
   */
  readonly from: 'file' | 'confirmed' | 'computed' | 'usual';
}

export async function aclTarget(host: Pick<Host, 'run'>, file?: string): Promise<AclTarget> {
  const found = chosenHelper({});
  const helper = found === undefined ? undefined : inspectHelper(found);
  const known = helper === undefined ? {} : { helper };
  if (file !== undefined) return { path: resolve(file), ...known, from: 'file' };
  if (helper === undefined) return { path: USUAL_ACL, from: 'usual' };
  const said = await confirmAclPath(host, helper);
  return said === undefined
    ? { path: resolve(helper.acl), helper, from: 'computed' }
    : { path: resolve(said), helper, from: 'confirmed' };
}
