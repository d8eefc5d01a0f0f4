/** The bridge that carries the default route: asked for last, so loaded only then. */
import { lookForRoute } from '../../host/hook/look-for-route.ts';
import type { HostFacts } from '../../plan/facts.ts';
import type { BridgeSources } from '../../plan/hook/choose.ts';
import { planPlug } from '../../plan/hook/plug.ts';
import { routeBridge } from '../../plan/hook/route.ts';
import type { Plan } from '../../plan/step.ts';
import type { Engine } from '../engine.ts';

/** Throws QL_NO_BRIDGE, QL_NO_TAP, QL_NOT_A_TAP, QL_TAP_TAKEN (exit 3). */
export async function planByRoute(
  { machine }: Engine,
  ifname: string,
  sources: BridgeSources,
): Promise<Plan<HostFacts>> {
  const { tap, bridges, devices } = await lookForRoute(machine, ifname);
  return planPlug({ ...tap, bridge: routeBridge(ifname, devices, bridges, sources) }, {});
}
