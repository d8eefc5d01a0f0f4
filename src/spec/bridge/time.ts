/** How long a change stands on trial. */
import type { Problem } from '../raw.ts';

const MAX_S = 24 * 3600;

/** "60", "60s", "2m": seconds. */
export function parseTrial(text: string, at: string): number | Problem {
  const [, number, unit] = /^([0-9]{1,6})(s|m)?$/.exec(text) ?? [];
  const seconds = Number(number) * (unit === 'm' ? 60 : 1);
  if (seconds >= 5 && seconds <= MAX_S) return seconds;
  return { at, what: `"${text}" must be a time from 5 s to a day`, hint: 'write 60s or 2m' };
}
