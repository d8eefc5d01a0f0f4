/** What it takes on this host to let a group use the bridge helper. */
import { grantHelper, type StatOverride } from '../../plan/acl/helper.ts';
import type { Step } from '../../plan/step.ts';
import { which } from '../linux-files.ts';
import type { Host } from '../port.ts';
import type { BridgeHelper } from './helper.ts';

export async function grantSteps(
  host: Pick<Host, 'run'>,
  helper: BridgeHelper,
  group: string,
  groupGid: number,
): Promise<readonly Step[]> {
  const { real: path, uid, gid, mode } = helper;
  return grantHelper({ path, uid, gid, mode, group, groupGid, override: await readOverride(host, path) });
}

/** dpkg-statoverride(1). undefined where the file is none of dpkg's; null where it has no override for it. */
async function readOverride(host: Pick<Host, 'run'>, path: string): Promise<StatOverride | null | undefined> {
  if (which('dpkg-statoverride') === undefined || which('dpkg-query') === undefined) return undefined;
  const owner = await host.run(['dpkg-query', '--search', path], { timeoutMs: 10_000 });
  if (owner.status !== 0) return undefined;
  // "root kvm 4750 /usr/lib/qemu/qemu-bridge-helper"; nothing, and status 1, when there is none.
  const { stdout } = await host.run(['dpkg-statoverride', '--list', path], { timeoutMs: 10_000 });
  const [user, group, mode] = stdout.trim().split(' ');
  return user === undefined || group === undefined || mode === undefined ? null : { user, group, mode };
}
