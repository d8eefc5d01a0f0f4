/** How much passes between this host and the guests of a network. */
import type { Rate } from '../../spec/nat/network.ts';
import { DEADLINE_MS, type Step } from '../step.ts';
import type { DefinedNetwork } from './defined.ts';

/** A bucket holds at least what passes in `part` of a second, or a timer tick would be lost (tc-tbf(8), "burst"). */
const burstOf = ({ average, burst }: Rate, part: number): number =>
  burst === undefined ? Math.max(32 * 1024, Math.ceil(average * 1000 * part)) : burst * 1024;

/** What goes to guests waits for its turn on the bridge. Guests among themselves do not pass here. */
export function shapeSteps({ bridge: { name }, bandwidth: { toGuests } }: DefinedNetwork): readonly Step[] {
  if (toGuests === undefined) return [];
  const { average, peak } = toGuests;
  const bucket = ['rate', `${average * 8}kbit`, 'burst', `${burstOf(toGuests, 0.01)}b`, 'latency', '50ms'];
  // The second bucket holds a whole packet of GSO, which the kernel would cut up otherwise.
  const second = peak === undefined ? [] : ['peakrate', `${peak * 8}kbit`, 'minburst', '65536b'];
  return [
    {
      title: `let guests of ${name} receive ${average} kB/s`,
      do: { run: ['tc', 'qdisc', 'add', 'dev', name, 'root', 'tbf', ...bucket, ...second] },
      undo: { nothing: `goes away with ${name}` },
      deadlineMs: DEADLINE_MS,
    },
  ];
}

/** In nft, because not every kernel has tc's police. Over the limit is dropped, and TCP takes the hint. */
export function limitRules({ bridge: { name }, bandwidth }: DefinedNetwork): readonly string[] {
  const { fromGuests } = bandwidth;
  if (fromGuests === undefined) return [];
  const limit = `limit rate over ${fromGuests.average * 1000} bytes/second burst ${burstOf(fromGuests, 0.05)} bytes`;
  return [`iifname "${name}" ${limit} counter drop`];
}
