/** A link becomes a port of a bridge that is there, or stops being one. */

import { EXIT, QlaunchError } from '../../errors.ts';
import { type HostFacts, type LinkFact, linkNamed } from '../facts.ts';
import { LINK_GONE } from '../links.ts';
import { shellWord } from '../shell.ts';
import { type Argv, type BatchLine, DEADLINE_MS, type Plan, type Step } from '../step.ts';
import { bridgeNamed, portLines } from '../tap/port.ts';
import { refuseAsPort } from './refuse.ts';

/** Throws QL_NO_BRIDGE, QL_NO_LINK, QL_NOT_A_PORT (exit 3). No step when it is one already. */
export function planAddPort(bridgeName: string, name: string, facts: HostFacts): Plan<HostFacts> {
  const bridge = bridgeNamed(facts, bridgeName);
  const link = linkOf(facts, name);
  if (link.master === bridgeName) return { steps: [] };
  refuseAsPort(link, facts);
  refuseAddressed(link, bridgeName);
  const lines = link.kind === 'tun' ? portLines(link, bridge) : nicLines(link, bridge);
  return { steps: [batch(`make ${name} a port of ${bridgeName}`, lines)] };
}

/** Throws QL_NO_LINK, QL_NOT_ITS_PORT (exit 3). */
export function planRemovePort(bridgeName: string, name: string, facts: HostFacts): Plan<HostFacts> {
  bridgeNamed(facts, bridgeName);
  const link = linkOf(facts, name);
  if (link.master !== bridgeName) {
    throw new QlaunchError('QL_NOT_ITS_PORT', EXIT.refused, {
      what: `${name} is not a port of ${bridgeName}`,
      why: [
        link.master === undefined ? `${name} is a port of nothing` : `${name} is a port of ${link.master}`,
      ],
      todo: ['qlaunch bridge show'],
    });
  }
  const line = set(link, `take ${name} out of ${bridgeName}`, ['nomaster'], ['master', bridgeName]);
  return { steps: [batch(`take ${name} out of ${bridgeName}`, [line])] };
}

export function linkOf(facts: HostFacts, name: string): LinkFact {
  const link = linkNamed(facts, name);
  if (link !== undefined) return link;
  throw new QlaunchError('QL_NO_LINK', EXIT.refused, {
    what: `there is no interface ${name} here`,
    why: ['not in this network namespace; a container or `ip netns` may have it'],
    todo: ['ip -br link show'],
  });
}

function batch(title: string, lines: readonly BatchLine[]): Step {
  return { title, do: { batch: 'ip', lines }, undo: { eachLine: true }, deadlineMs: DEADLINE_MS };
}

/** Its address stays: only a bridge without one of its own would take it over, and ours have one. */
function nicLines(link: LinkFact, bridge: LinkFact): readonly BatchLine[] {
  const { ifname: name, mtu } = link;
  return [
    ...(mtu === bridge.mtu
      ? []
      : [set(link, `give ${name} the MTU ${bridge.mtu}`, ['mtu', `${bridge.mtu}`], ['mtu', `${mtu}`])]),
    set(link, `make ${name} a port of ${bridge.ifname}`, ['master', bridge.ifname], ['nomaster']),
    ...(link.flags.includes('UP') ? [] : [set(link, `bring ${name} up`, ['up'], ['down'])]),
  ];
}

function set(link: LinkFact, title: string, words: Argv, back: Argv): BatchLine {
  const mac = link.address === undefined ? {} : { mac: link.address };
  return {
    title,
    words: ['link', 'set', 'dev', link.ifname, ...words],
    undo: { run: ['ip', 'link', 'set', 'dev', link.ifname, ...back], gone: LINK_GONE },
    owns: { link: link.ifname, ...mac },
  };
}

/** On a port nothing would ever answer there: frames arrive at the bridge (host-side of br_handle_frame()). */
function refuseAddressed(link: LinkFact, bridge: string): void {
  const own = link.addresses.filter(({ local }) => !local.startsWith('fe80:'));
  if (own.length === 0) return;
  const shown = own.map(({ local, prefixlen }) => `${local}/${prefixlen}`);
  throw new QlaunchError('QL_NOT_A_PORT', EXIT.refused, {
    what: `will not make ${link.ifname} a port of ${bridge}`,
    why: [`it has the address ${shown.join(', ')}, which would be dead on a port`],
    todo: [
      `sudo qlaunch bridge create NEW --uplink ${shellWord(link.ifname)}   # makes a bridge and moves the addresses onto it`,
    ],
  });
}
