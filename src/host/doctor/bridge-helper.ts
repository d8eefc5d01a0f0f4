/** QEMU's bridge helper and its list, for the bridge that a guest would join. */
import type { Finding } from '../../plan/doctor/finding.ts';
import type { Board } from '../../plan/map/board.ts';
import { helperChain } from '../acl/chain.ts';
import type { DoctorContext } from './context.ts';

/** Bridges that container engines make for themselves. */
const OF_CONTAINERS =
  /^(docker\d+|br-[0-9a-f]{12}|cni\d+|cni-podman\d+|podman\d+|lxcbr\d+|lxdbr\d+|incusbr\d+)$/;

export async function bridgeHelperFindings(
  { host, who }: DoctorContext,
  { bridges }: Board,
): Promise<readonly Finding[]> {
  const names = bridges.map(({ name }) => name).filter((name) => !OF_CONTAINERS.test(name));
  const bridge = names.find((name) => name === 'br0') ?? names[0];
  if (bridge === undefined)
    return [{ id: 'helper-found', state: 'ok', fact: 'no bridge for guests here, so no helper is needed' }];
  const chain = await helperChain(host, { user: who, bridge });
  // These two have checks of their own.
  return chain.filter(({ id }) => id !== 'tun-device' && id !== 'bridge');
}
