/** A bridge of ours: its own MAC, marked, up, no STP unless asked. */

import { EXIT, QlaunchError } from '../errors.ts';
import { type HostFacts, linkNamed } from './facts.ts';
import type { Lifetime } from './lifetime.ts';
import { newLinkLines } from './links.ts';
import { shellWord } from './shell.ts';
import { type Argv, type BatchLine, DEADLINE_MS, type Plan } from './step.ts';

export interface BridgeWish {
  readonly name: string;
  readonly lifetime: Lifetime;
  /** That of the NIC it will carry, so that leases and neighbours stay. */
  readonly mac?: string;
  readonly stp?: boolean;
  /** Of STP; seconds. */
  readonly delayS?: number;
  /** Stays whatever port comes: without it a bridge has that of its smallest port. */
  readonly mtu?: number;
  readonly vlanAware?: boolean;
  /** false: somebody brings it up later. */
  readonly up?: boolean;
  /** "192.0.2.1/24" */
  readonly addresses?: readonly string[];
}

/** The least that IEEE 802.1D allows; the kernel's own 15 s keep a new port silent for half a minute. */
export const STP_DELAY_S = 4;

/** The kernel's forward_delay is in hundredths of a second (USER_HZ). */
export const delayWord = (seconds: number): string => String(seconds * 100);

export function planBridge(wish: BridgeWish, facts: HostFacts): Plan<HostFacts> {
  const there = linkNamed(facts, wish.name);
  if (there !== undefined) {
    throw new QlaunchError('QL_LINK_EXISTS', EXIT.refused, {
      what: `there is already an interface ${wish.name}`,
      why: [
        `${wish.name} is a ${there.kind ?? 'network device'}${there.ifalias === undefined ? '' : ` (${there.ifalias})`}`,
      ],
      todo: ['choose another name', `ip -d link show dev ${shellWord(wish.name)}`],
    });
  }
  const lines = newLinkLines(
    {
      name: wish.name,
      type: typeWords(wish),
      settings: [...mtuSettings(wish.mtu), ...(wish.up === false ? [] : [['up'] as const])],
      ...(wish.mac === undefined ? {} : { mac: wish.mac }),
    },
    { lifetime: wish.lifetime, token: facts.token, index: 0 },
  );
  return {
    steps: [
      {
        title: `make the bridge ${wish.name}`,
        do: {
          batch: 'ip',
          lines: [...lines, ...(wish.addresses ?? []).map((one) => addressLine(wish.name, one))],
        },
        undo: { eachLine: true },
        deadlineMs: DEADLINE_MS,
      },
    ],
  };
}

/** Forwarding at once: without STP there is nothing to listen for, and 15 s of silence would eat a guest's DHCP. */
function typeWords({ stp, delayS, vlanAware }: BridgeWish): readonly string[] {
  return [
    ...['type', 'bridge', 'stp_state', stp === true ? '1' : '0'],
    ...['forward_delay', delayWord(delayS ?? (stp === true ? STP_DELAY_S : 0))],
    ...(vlanAware === true ? ['vlan_filtering', '1'] : []),
  ];
}

/**
 * br_mtu_auto_adjust() in linux/net/bridge/br_if.c stops following the ports when the MTU was set to another value
 * than it had; setting the value it has already does not count.
 */
function mtuSettings(mtu: number | undefined): readonly Argv[] {
  if (mtu === undefined) return [];
  return [
    ['mtu', String(mtu > 1280 ? mtu - 1 : mtu + 1)],
    ['mtu', String(mtu)],
  ];
}

function addressLine(bridge: string, address: string): BatchLine {
  const broadcast = address.includes(':') || Number(address.split('/')[1]) > 30 ? [] : ['broadcast', '+'];
  return {
    title: `give ${bridge} the address ${address}`,
    words: ['address', 'add', address, ...broadcast, 'dev', bridge],
    undo: { nothing: `goes away with ${bridge}` },
  };
}
