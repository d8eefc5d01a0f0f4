/** What was plugged into a bridge is plugged into the one that has come in its place. */
import type { BatchLine, Plan, Step } from '../step.ts';
import { DEADLINE_MS } from '../step.ts';

export interface PortBefore {
  readonly ifname: string;
  /** A setting of the port, which goes when it is taken out. */
  readonly isolated: boolean;
}

/** Whose ports they are takes them out. */
export function planReplug<Facts>(bridge: string, ports: readonly PortBefore[]): Plan<Facts> {
  if (ports.length === 0) return { steps: [] };
  const undo = { nothing: 'it goes away with the bridge' };
  const plug = ports.map(
    ({ ifname }): BatchLine => ({
      title: `plug ${ifname} into ${bridge}`,
      words: ['link', 'set', 'dev', ifname, 'master', bridge],
      undo,
    }),
  );
  const apart = ports
    .filter(({ isolated }) => isolated)
    .map(
      ({ ifname }): BatchLine => ({
        title: `keep ${ifname} apart from other such ports`,
        words: ['link', 'set', 'dev', ifname, 'type', 'bridge_slave', 'isolated', 'on'],
        undo,
      }),
    );
  const step: Step = {
    title: `plug ${ports.map(({ ifname }) => ifname).join(', ')} into ${bridge}`,
    do: { batch: 'ip', lines: [...plug, ...apart] },
    undo: { eachLine: true },
    deadlineMs: DEADLINE_MS,
  };
  return { steps: [step] };
}
