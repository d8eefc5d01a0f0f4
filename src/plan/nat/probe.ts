/** A guest for a moment: a veth pair from the bridge into a namespace that dies with its only process. */
import type { HostFacts } from '../facts.ts';
import { newLinkLines } from '../links.ts';
import { DEADLINE_MS, type Plan } from '../step.ts';

/** What the process in there is to ask, of the network's gateway only. */
export interface ProbeOrder {
  /** Where the other end of the pair appears. */
  readonly link: string;
  readonly gateway: string;
  /** "192.168.122.77/24": nobody's, to ask for names with; absent: names are not asked for. */
  readonly address?: string;
  readonly dhcp: boolean;
  /** For each question. */
  readonly timeoutMs: number;
}

/** undefined: was not asked. */
export interface ProbeAnswer {
  readonly dhcp?: boolean;
  readonly dns?: boolean;
}

/** @param pid its namespace gets the other end */
export function planProbe(
  name: string,
  bridge: string,
  link: string,
  pid: number,
  { token }: HostFacts,
): Plan<HostFacts> {
  const wish = {
    name: `qlp${token.slice(0, 8)}`,
    type: ['type', 'veth', 'peer', 'name', link, 'netns', String(pid)],
    settings: [['master', bridge], ['up']],
  } as const;
  return {
    steps: [
      {
        title: `plug a guest for a moment into ${bridge}`,
        do: { batch: 'ip', lines: newLinkLines(wish, { lifetime: { net: name }, token, index: 0 }) },
        undo: { eachLine: true },
        deadlineMs: DEADLINE_MS,
      },
    ],
  };
}
