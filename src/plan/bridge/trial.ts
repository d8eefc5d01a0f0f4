/** How long a bridge must stand on trial, so that whoever made it can confirm it at all. */
import { EXIT, QlaunchError } from '../../errors.ts';
import type { BridgeSettings } from '../../spec/bridge/settings.ts';
import { STP_DELAY_S } from '../bridge.ts';

/** For the person to look and to type. */
const TO_TYPE_S = 15;
/** A network manager has so long to take the bridge over; where it makes the bridge itself, once that is done. */
export const TAKEN_WITHIN_S = 30;
/** As long as nothing else is said. */
export const USUAL_TRIAL_S = 60;

/** Seconds; 'usual': USUAL_TRIAL_S, or as long as it must be. */
export type Trial = number | 'usual';

/**
 * An STP port is silent for two forward delays. 0: as short as one likes.
 * @param withinS a network manager may take that long; 0: none has the NIC
 */
export function leastTrialS({ stp, delayS = STP_DELAY_S }: BridgeSettings, withinS: number): number {
  const silentS = (stp === true ? 2 * delayS : 0) + withinS;
  return silentS === 0 ? 0 : silentS + TO_TYPE_S;
}

/** How long it is; undefined: none. Throws QL_USAGE (exit 2) where less was asked for, before anything is touched. */
export function trialFor(
  uplink: string,
  asked: Trial | undefined,
  leastS: number,
  withinS: number,
): number | undefined {
  if (asked === 'usual') return Math.max(USUAL_TRIAL_S, leastS);
  if (asked === undefined || asked >= leastS) return asked;
  throw new QlaunchError('QL_USAGE', EXIT.usage, {
    what: 'cannot make this bridge',
    why: [
      `--confirm: a network manager has ${uplink}, and may take ${withinS} s to take the bridge over (write ${leastS}s or more)`,
    ],
  });
}
