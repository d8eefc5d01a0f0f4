/** Where a tap goes when nobody says so. Apart from the rest: QEMU waits for the hooks, and most need it not. */
import { dirname } from 'node:path';
import { EXIT, QlaunchError } from '../../errors.ts';
import type { LinkFact } from '../facts.ts';
import { shellLine, shellWord } from '../shell.ts';
import type { BridgeSources } from './choose.ts';

/**
 * As Debian's /etc/qemu-ifup: the bridge that carries the default route, but of IPv6 too. `routeDevices`: those of
 * the default routes, best first. Throws QL_NO_BRIDGE (exit 3).
 */
export function routeBridge(
  ifname: string,
  routeDevices: readonly string[],
  bridges: readonly LinkFact[],
  sources: BridgeSources,
): LinkFact {
  const found = routeDevices.flatMap((dev) => bridges.find((bridge) => bridge.ifname === dev) ?? [])[0];
  if (found !== undefined) return found;
  const names = bridges.map((bridge) => bridge.ifname);
  const bridge = names[0] ?? 'br0';
  const routes =
    routeDevices.length === 0
      ? 'there is no default route'
      : `the default route goes through ${[...new Set(routeDevices)].join(', ')}, which is no bridge`;
  throw new QlaunchError('QL_NO_BRIDGE', EXIT.refused, {
    what: `no bridge to plug ${ifname} into`,
    why: [
      'QLAUNCH_BRIDGE is not set',
      `no section of ${sources.rulesPath} fits ${ifname}`,
      routes,
      names.length === 0 ? 'this host has no bridge' : `the bridges of this host: ${names.join(', ')}`,
    ],
    todo: [
      `QLAUNCH_BRIDGE=${shellWord(bridge)} in front of the QEMU command`,
      `sudo install -d ${shellWord(dirname(sources.rulesPath))} && printf '[%s]\\nbridge = %s\\n' ${shellLine([ifname, bridge])} | sudo tee -a ${shellWord(sources.rulesPath)}`,
    ],
  });
}
