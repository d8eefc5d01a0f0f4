/** Taps that we make: persistent and owned by QEMU's user, who opens them by name and needs no right. */

import { EXIT, QlaunchError } from '../../errors.ts';
import type { PortSpec } from '../../spec/port.ts';
import { type HostFacts, linkNamed } from '../facts.ts';
import type { Lifetime } from '../lifetime.ts';
import { newLinkLines } from '../links.ts';
import { linkMac, ownerMark } from '../owner.ts';
import { shellWord } from '../shell.ts';
import { type Argv, DEADLINE_MS, type Plan } from '../step.ts';
import { filterSteps, portSteps } from './options.ts';
import { bridgeNamed, portMac, portSettings } from './port.ts';

export interface TapWish extends PortSpec {
  readonly name: string;
  readonly uid: number;
  readonly queues: number;
  /** Without one the tap is in no bridge. */
  readonly bridge?: string;
  /** The guest's, for antispoof. */
  readonly guestMac?: string;
  /** Of a tap in no bridge; a port has the MTU of its bridge. */
  readonly mtu?: number;
}

/** One batch, and what its options take. Throws QL_LINK_EXISTS, QL_NO_BRIDGE (exit 3). */
export function planTaps(wishes: readonly TapWish[], lifetime: Lifetime, facts: HostFacts): Plan<HostFacts> {
  const lines = wishes.flatMap((wish, index) => {
    refuseExisting(wish.name, facts);
    const bridge = wish.bridge === undefined ? undefined : bridgeNamed(facts, wish.bridge);
    const mac = linkMac(facts.token, index);
    const alone: readonly Argv[] = [
      ...(wish.mtu === undefined ? [] : [['mtu', `${wish.mtu}`] as const]),
      ['up'],
    ];
    const link = {
      name: wish.name,
      type: { uid: wish.uid, multiQueue: wish.queues > 1 },
      mac: bridge === undefined ? mac : portMac(mac, bridge),
      settings: bridge === undefined ? alone : portSettings(bridge, { isolated: wish.isolated === true }),
    };
    return newLinkLines(link, { lifetime, token: facts.token, index });
  });
  if (lines.length === 0) return { steps: [] };
  const names = wishes.map(({ name, bridge }) => (bridge === undefined ? name : `${name} on ${bridge}`));
  return {
    steps: [
      ...wishes.flatMap((wish) => filterSteps(wish, ownerMark(lifetime, facts.token))),
      {
        title: `make the tap ${names.join(', ')}`,
        do: { batch: 'ip', lines },
        undo: { eachLine: true },
        deadlineMs: DEADLINE_MS,
      },
      ...wishes.flatMap((wish) => portSteps(wish, facts)),
    ],
  };
}

function refuseExisting(name: string, facts: HostFacts): void {
  const there = linkNamed(facts, name);
  if (there === undefined) return;
  throw new QlaunchError('QL_LINK_EXISTS', EXIT.refused, {
    what: `there is already an interface ${name}`,
    why: [`${name} is a ${there.kind ?? 'network device'}`],
    todo: ['choose another name', `ip -d link show dev ${shellWord(name)}`],
  });
}
