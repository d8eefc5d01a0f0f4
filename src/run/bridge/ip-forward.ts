/** `--ip-forward`, at `bridge create` and `bridge set`. */
import { readForward } from '../../host/bridge/ip-forward.ts';
import { type ForwardFacts, forwardReport, forwardSteps } from '../../plan/bridge/ip-forward.ts';
import type { Step } from '../../plan/step.ts';
import type { BackEnd } from '../../spec/bridge/back-end.ts';
import type { BridgeSettings } from '../../spec/bridge/settings.ts';
import { otherForwarders } from '../change/forwarders.ts';
import type { Engine } from '../engine.ts';

type Wish = BridgeSettings & { readonly name: string; readonly persist?: BackEnd | true };

const look = async ({ machine }: Engine, name: string): Promise<ForwardFacts> =>
  readForward(machine, name, await otherForwarders(machine));

/** Throws QL_IP_FORWARD (exit 3). */
export async function ipForwardSteps(engine: Engine, wish: Wish): Promise<readonly Step[]> {
  if (wish.ipForward === undefined || wish.ipForward === 'leave') return [];
  return forwardSteps({ ...wish, persist: wish.persist !== undefined }, await look(engine, wish.name));
}

/** Asked before the change; empty where nobody asked for it. */
export async function ipForwardReport(
  engine: Engine,
  name: string,
  { ipForward }: BridgeSettings,
): Promise<readonly string[]> {
  return ipForward === undefined ? [] : [forwardReport(ipForward, await look(engine, name))];
}
