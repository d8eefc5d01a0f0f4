/** How much a guest may send, where its portgroup says so: rules of nft for its tap, which a flushed ruleset takes. */
import { type HostFacts, linkNamed } from '../facts.ts';
import { isMarkOf } from '../owner.ts';
import type { Step } from '../step.ts';
import { filterSteps, filterTable } from '../tap/options.ts';
import { anew } from './anew.ts';
import type { NetFinding } from './check.ts';
import type { KnownPort } from './known-port.ts';

/** @param live tables of nft with rules: "bridge qlaunch_0123456789ab" */
export function limitFindings(
  name: string,
  ports: readonly KnownPort[],
  live: ReadonlySet<string>,
  facts: HostFacts,
): readonly NetFinding[] {
  return ports.flatMap(({ tap, vm, rate }): readonly NetFinding[] => {
    const mark = linkNamed(facts, tap)?.ifalias;
    if (mark === undefined || !isMarkOf(mark, { vm }) || live.has(filterTable(tap))) return [];
    // Under the mark that the journal of its VM knows, which takes it back.
    const steps = filterSteps({ name: tap, ...(rate === undefined ? {} : { rate }) }, mark)
      .flatMap(anew)
      .map((step): Step => ({ ...step, undo: { nothing: 'it goes with its VM' } }));
    if (steps.length === 0) return [];
    return [
      {
        id: 'net-limit',
        about: name,
        state: 'problem',
        fact: `${tap} of VM ${vm} may send as much as it can: somebody has removed the rules of its rate`,
        cure: [`sudo qlaunch net check ${name} --fix`],
        fix: { steps },
      },
    ];
  });
}
