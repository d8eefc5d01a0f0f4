/** How long a bridge must stand on trial, so that whoever made it can confirm it at all. */
import { EXIT, QlaunchError } from '../../errors.ts';
import type { BridgeSettings } from '../../spec/bridge/settings.ts';
import { STP_DELAY_S } from '../bridge.ts';

/** For the person to look and to type. */
const TO_TYPE_S = 15;
/** A network manager has so long to take the bridge over. */
export const TAKEN_WITHIN_S = 30;

/** An STP port is silent for two forward delays. 0: as short as one likes. */
export function leastTrialS({ stp, delayS = STP_DELAY_S }: BridgeSettings, isHandedOver: boolean): number {
  const silentS = (stp === true ? 2 * delayS : 0) + (isHandedOver ? TAKEN_WITHIN_S : 0);
  return silentS === 0 ? 0 : silentS + TO_TYPE_S;
}

/** QL_USAGE (exit 2), before anything is touched. */
export function refuseShortTrial(uplink: string, trialS: number, leastS: number): void {
  if (trialS >= leastS) return;
  throw new QlaunchError('QL_USAGE', EXIT.usage, {
    what: 'cannot make this bridge',
    why: [
      `--confirm: a network manager has ${uplink}, and may take ${TAKEN_WITHIN_S} s to take the bridge over (write ${leastS}s or more)`,
    ],
  });
}
