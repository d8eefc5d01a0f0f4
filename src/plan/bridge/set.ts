/** Settings of a bridge that is there. Each line puts back what was before. */

import { EXIT, QlaunchError } from '../../errors.ts';
import type { BridgeSettings } from '../../spec/bridge/settings.ts';
import { delayWord, STP_DELAY_S } from '../bridge.ts';
import type { BridgeFact, HostFacts, LinkFact } from '../facts.ts';
import { LINK_GONE } from '../links.ts';
import { shellWord } from '../shell.ts';
import { type Argv, type BatchLine, DEADLINE_MS, type Plan } from '../step.ts';
import { bridgeNamed } from '../tap/port.ts';

/** BR_MIN_FORWARD_DELAY: br_stp_start() raises a smaller one by itself. */
const KERNEL_LEAST_S = 2;

/** Throws QL_NO_BRIDGE, QL_BRIDGE_DELAY (exit 3). No step when all is as wanted. */
export function planSet(name: string, settings: BridgeSettings, facts: HostFacts): Plan<HostFacts> {
  const bridge = bridgeNamed(facts, name);
  const now = bridge.bridge ?? { vlanFiltering: false, defaultPvid: 1, stp: false, forwardDelayMs: 15_000 };
  const lines = [...stpLines(bridge, now, settings), ...otherLines(bridge, now, settings)];
  if (lines.length === 0) return { steps: [] };
  return {
    steps: [
      {
        title: `set ${name}`,
        do: { batch: 'ip', lines },
        undo: { eachLine: true },
        deadlineMs: DEADLINE_MS,
      },
    ],
  };
}

/**
 * The delay goes first, so that taking back switches STP off before it puts a delay back that is too small for STP;
 * with STP on it is the other way round.
 */
function stpLines(bridge: LinkFact, now: BridgeFact, settings: BridgeSettings): readonly BatchLine[] {
  const { stp = now.stp } = settings;
  const before = now.forwardDelayMs / 1000;
  const delayS = settings.delayS ?? (stp && before < KERNEL_LEAST_S ? STP_DELAY_S : before);
  if (stp && delayS < KERNEL_LEAST_S) {
    throw new QlaunchError('QL_BRIDGE_DELAY', EXIT.refused, {
      what: `will not set the delay of ${bridge.ifname} to ${delayS} s`,
      why: [`STP is on there, and takes ${KERNEL_LEAST_S} to 30 seconds`],
      todo: [`sudo qlaunch bridge set ${shellWord(bridge.ifname)} --stp off --delay ${delayS}`],
    });
  }
  const delay =
    delayS === before
      ? []
      : [
          typeLine(
            bridge,
            'forward delay',
            ['forward_delay', delayWord(delayS)],
            ['forward_delay', delayWord(before)],
          ),
        ];
  const state = (on: boolean): Argv => ['stp_state', on ? '1' : '0'];
  const switched = stp === now.stp ? [] : [typeLine(bridge, 'STP', state(stp), state(now.stp))];
  return stp ? [...delay, ...switched] : [...switched, ...delay];
}

function otherLines(
  bridge: LinkFact,
  now: BridgeFact,
  { mtu, vlanAware }: BridgeSettings,
): readonly BatchLine[] {
  const filtering = (on: boolean): Argv => ['vlan_filtering', on ? '1' : '0'];
  return [
    ...(vlanAware === undefined || vlanAware === now.vlanFiltering
      ? []
      : [typeLine(bridge, 'VLAN filtering', filtering(vlanAware), filtering(now.vlanFiltering))]),
    ...(mtu === undefined || mtu === bridge.mtu
      ? []
      : [line(bridge, `give ${bridge.ifname} the MTU ${mtu}`, ['mtu', `${mtu}`], ['mtu', `${bridge.mtu}`])]),
  ];
}

function typeLine(bridge: LinkFact, what: string, words: Argv, back: Argv): BatchLine {
  const type = (rest: Argv): Argv => ['type', 'bridge', ...rest];
  return line(bridge, `set the ${what} of ${bridge.ifname}`, type(words), type(back));
}

function line(bridge: LinkFact, title: string, words: Argv, back: Argv): BatchLine {
  const mac = bridge.address === undefined ? {} : { mac: bridge.address };
  return {
    title,
    words: ['link', 'set', 'dev', bridge.ifname, ...words],
    undo: { run: ['ip', 'link', 'set', 'dev', bridge.ifname, ...back], gone: LINK_GONE },
    owns: { link: bridge.ifname, ...mac },
  };
}
