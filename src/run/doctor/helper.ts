/** The bridge helper's chain, for every bridge that a guest could join. */
import { helperChain } from '../../host/acl/chain.ts';
import type { Host } from '../../host/port.ts';
import type { Identity } from '../../host/vm/user.ts';
import type { Finding } from '../../plan/doctor/finding.ts';
import type { Board } from '../../plan/map/board.ts';

/** QEMU's own (DEFAULT_BRIDGE_INTERFACE in include/net/net.h). */
const DEFAULT_BRIDGE = 'br0';
/** What other rows look at, more closely. */
const ELSEWHERE: ReadonlySet<string> = new Set(['tun-device', 'bridge']);
/** What may differ from bridge to bridge. */
const OF_BRIDGE: ReadonlySet<string> = new Set(['acl-allows', 'acl-rules']);

/** Only `--net bridge` needs the helper: where it can not be used, that is a warning. */
export async function helperRows(
  host: Pick<Host, 'run'>,
  user: Identity,
  { bridges }: Pick<Board, 'bridges'>,
): Promise<readonly Finding[]> {
  const names = bridges.length === 0 ? [DEFAULT_BRIDGE] : bridges.map(({ name }) => name);
  const rows: Finding[] = [];
  for (const [index, bridge] of names.entries()) {
    for (const finding of await helperChain(host, { user, bridge })) {
      const ofBridge = OF_BRIDGE.has(finding.id);
      if (ELSEWHERE.has(finding.id) || (!ofBridge && index > 0)) continue;
      if (ofBridge && bridges.length === 0) continue;
      const state = finding.state === 'problem' ? 'warning' : finding.state;
      rows.push({ ...finding, state, ...(ofBridge ? { about: bridge } : {}) });
    }
  }
  return rows;
}
