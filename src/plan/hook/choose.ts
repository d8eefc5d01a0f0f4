/** Which bridge a tap is plugged into, and who says so: the first of four sources that has an answer. */
import type { HookRule } from '../../spec/hook/rules.ts';
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
