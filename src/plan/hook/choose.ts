/** Which bridge a tap is plugged into, and who says so: the first of four sources that has an answer. */
import { EXIT, QlaunchError } from '../../errors.ts';
import type { HookRule } from '../../spec/hook/rules.ts';
import type { LinkFact } from '../facts.ts';
import type { PortOptions } from '../tap/port.ts';
import type { LeftPlan } from './left.ts';

export interface BridgeSources {
  /** $QLAUNCH_BRIDGE; an empty one is an unset one. */
  readonly asked?: string;
  readonly left?: LeftPlan;
  /** The section of ifup.ini that fits. */
  readonly rule?: HookRule;
  /** Where it was looked for. */
  readonly rulesPath: string;
}

export interface BridgeChoice extends PortOptions {
  readonly bridge: string;
}

/** undefined: nobody names one; then the default route decides. */
export function chooseBridge({ asked, left, rule }: BridgeSources): BridgeChoice | undefined {
  return asked !== undefined && asked !== '' ? { bridge: asked } : (left ?? rule);
}

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
      `QLAUNCH_BRIDGE=${names[0] ?? 'br0'} in front of the QEMU command`,
      `printf '[${ifname}]\\nbridge = ${names[0] ?? 'br0'}\\n' | sudo tee -a ${sources.rulesPath}`,
    ],
  });
}
