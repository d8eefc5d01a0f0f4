/** A forward of a VM that runs, whose rules are not there. */
import type { Forward } from '../../spec/forward.ts';
import { shellLine } from '../shell.ts';
import type { NetFinding } from './check.ts';

type At = Pick<Forward, 'address' | 'hostPort'> & { readonly proto: string };

export const FORWARD = 'net-forward';

/** "tcp 0.0.0.0:8080" */
export const forwardText = ({ proto, address, hostPort }: At): string => `${proto} ${address}:${hostPort}`;

export interface ForwardLost {
  readonly network: string;
  readonly vm: string;
  readonly forward: At & Pick<Forward, 'guestPort'>;
  /** What `qlaunch forward` calls the VM; absent: only the VM's record, which is its user's to write, says so. */
  readonly selector?: string;
}

/** What a user may write is no reason to tell root to make it. */
export function forwardFinding({ network, vm, forward, selector }: ForwardLost): NetFinding {
  const about = { id: FORWARD, about: network } as const;
  if (selector === undefined)
    return {
      ...about,
      state: 'warning',
      fact: `the record of VM ${vm} names the forward ${forwardText(forward)}, which was never made`,
    };
  const { proto, address, hostPort, guestPort } = forward;
  const spec = `${proto}:${address}:${hostPort}:${guestPort}`;
  return {
    ...about,
    state: 'problem',
    fact: `the forward ${forwardText(forward)} to VM ${vm} is gone: somebody has removed its rules`,
    cure: [
      `sudo qlaunch net check ${network} --fix`,
      `sudo ${shellLine(['qlaunch', 'forward', 'add', selector, spec])}`,
    ],
  };
}
