/** Checks that stop it, as one error. */
import { EXIT, QlaunchError } from '../../errors.ts';
import type { Check } from '../../plan/vfio/checks.ts';

export function refusal(what: string, stops: readonly Check[], forceWith?: string): QlaunchError {
  const words = [...new Set(stops.filter(({ severity }) => severity === 'force').map(({ id }) => id))];
  const force =
    forceWith === undefined || stops.some(({ severity }) => severity === 'refuse')
      ? []
      : [`${forceWith} --force=${words.join(',')}   # if you know better`];
  return new QlaunchError('QL_VFIO_REFUSED', EXIT.refused, {
    what,
    why: stops.map((stop) => `${stop.device}: ${stop.what}`),
    todo: [...new Set(stops.flatMap(({ todo }) => todo)), ...force],
  });
}
