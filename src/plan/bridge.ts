/** A bridge of ours: its own MAC, marked, up, no STP unless asked. */
import { EXIT, QlaunchError } from '../errors.ts';
import { type HostFacts, linkNamed } from './facts.ts';
import type { Lifetime } from './lifetime.ts';
import { newLinkLines } from './links.ts';
import { type Argv, DEADLINE_MS, type Plan } from './step.ts';

export interface BridgeWish {
  readonly name: string;
  readonly lifetime: Lifetime;
  /** That of the NIC it will carry, so that leases and neighbours stay. */
  readonly mac?: string;
  readonly stp?: boolean;
  /** Seconds that a port listens before it forwards; 0 without STP, the kernel's 15 with it. */
  readonly delay?: number;
  /** Kept, whatever the ports have; else the bridge has the smallest MTU of its ports. */
  readonly mtu?: number;
  /** false: somebody brings it up later. */
  readonly up?: boolean;
}

export function planBridge(wish: BridgeWish, facts: HostFacts): Plan<HostFacts> {
  const there = linkNamed(facts, wish.name);
  if (there !== undefined) {
    throw new QlaunchError('QL_LINK_EXISTS', EXIT.refused, {
      what: `there is already an interface ${wish.name}`,
      why: [
        `${wish.name} is a ${there.kind ?? 'network device'}${there.ifalias === undefined ? '' : ` (${there.ifalias})`}`,
      ],
      todo: ['choose another name', `ip -d link show dev ${wish.name}`],
    });
  }
  // Forwarding at once: without STP there is nothing to listen for, and 15 s of silence would eat a guest's DHCP.
  const delay = wish.delay ?? (wish.stp === true ? undefined : 0);
  const type = [
    'type',
    'bridge',
    'stp_state',
    wish.stp === true ? '1' : '0',
    // Hundredths of a second. With STP the kernel makes 2 s of anything less (br_stp_start() in linux/net/bridge/br_stp_if.c).
    ...(delay === undefined ? [] : ['forward_delay', `${delay * 100}`]),
  ];
  const settings: readonly Argv[] = [
    ...(wish.mtu === undefined ? [] : [['mtu', `${wish.mtu}`] as const]),
    ...(wish.up === false ? [] : [['up'] as const]),
  ];
  const lines = newLinkLines(
    { name: wish.name, type, settings, ...(wish.mac === undefined ? {} : { mac: wish.mac }) },
    { lifetime: wish.lifetime, token: facts.token, index: 0 },
  );
  return {
    steps: [
      {
        title: `make the bridge ${wish.name}`,
        do: { batch: 'ip', lines },
        undo: { eachLine: true },
        deadlineMs: DEADLINE_MS,
      },
    ],
  };
}
