/** The plan of qemu-ifup: a tap that QEMU has just opened becomes a port. */

import { EXIT, QlaunchError } from '../../errors.ts';
import type { HostFacts, LinkFact } from '../facts.ts';
import { shellWord } from '../shell.ts';
import { DEADLINE_MS, type Plan } from '../step.ts';
import { type PortOptions, portLines } from '../tap/port.ts';

export interface PlugFacts {
  readonly tap: LinkFact;
  /** Nobody made it persistent: it is gone when its last user is. */
  readonly goesAway: boolean;
  readonly bridge: LinkFact;
}

/** No step when it is plugged in already. Throws QL_NOT_A_TAP, QL_TAP_TAKEN (exit 3). */
export function planPlug({ tap, goesAway, bridge }: PlugFacts, options: PortOptions): Plan<HostFacts> {
  if (!isTap(tap)) {
    const kind = tap.kind === 'tun' ? 'tun (layer 3)' : (tap.kind ?? 'network device');
    throw new QlaunchError('QL_NOT_A_TAP', EXIT.refused, {
      what: `will not plug ${tap.ifname} into ${bridge.ifname}`,
      why: [`${tap.ifname} is not a tap but a ${kind}`],
      todo: [`ip -d link show dev ${shellWord(tap.ifname)}`],
    });
  }
  if (tap.master !== undefined && tap.master !== bridge.ifname) {
    throw new QlaunchError('QL_TAP_TAKEN', EXIT.refused, {
      what: `will not plug ${tap.ifname} into ${bridge.ifname}`,
      why: [`${tap.ifname} is a port of ${tap.master} already`],
      todo: [`ip link set dev ${shellWord(tap.ifname)} nomaster`],
    });
  }
  const lines = portLines(tap, bridge, { ...options, goesAway });
  if (lines.length === 0) return { steps: [] };
  return {
    steps: [
      {
        title: `plug ${tap.ifname} into ${bridge.ifname}`,
        do: { batch: 'ip', lines },
        undo: { eachLine: true },
        deadlineMs: DEADLINE_MS,
      },
    ],
  };
}

/** A tun of layer 3 is of the same kind but has no Ethernet header. */
const isTap = (link: LinkFact): boolean => link.kind === 'tun' && link.link_type === 'ether';
