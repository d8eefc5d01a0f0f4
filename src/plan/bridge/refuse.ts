/** Links that the kernel does not take as a port, or that would be torn out of something by becoming one. */

import { EXIT, QlaunchError } from '../../errors.ts';
import type { HostFacts, LinkFact } from '../facts.ts';
import { shellWord } from '../shell.ts';

interface Objection {
  readonly why: string;
  readonly todo: readonly string[];
}

const WITHOUT_BRIDGE: readonly string[] = [
  'qlaunch vm.qcow2 --net nat   # guests behind this host, whatever the uplink is',
];

/** Throws QL_NOT_A_PORT (exit 3). */
export function refuseAsPort(link: LinkFact, facts: HostFacts): void {
  const objection = objectionTo(link, facts);
  if (objection === undefined) return;
  throw new QlaunchError('QL_NOT_A_PORT', EXIT.refused, {
    what: `${link.ifname} can not be a port of a bridge`,
    why: [objection.why],
    todo: objection.todo,
  });
}

function objectionTo(link: LinkFact, { links }: HostFacts): Objection | undefined {
  const { ifname: name, kind, master } = link;
  if (link.flags.includes('LOOPBACK'))
    return { why: 'it is the loopback device', todo: ['ip -br link show'] };
  if (link.wireless === true)
    return {
      why: 'it is a Wi-Fi station: the access point takes frames from its own address only (IFF_DONT_BRIDGE)',
      todo: WITHOUT_BRIDGE,
    };
  if (link.link_type !== 'ether')
    return { why: `it carries no Ethernet frames (${link.link_type})`, todo: WITHOUT_BRIDGE };
  if (kind === 'bridge')
    return { why: 'it is a bridge itself', todo: [`use ${name} as it is: --net bridge:${name}`] };
  if (master !== undefined)
    return enslaved(name, links.find((one) => one.ifname === master) ?? { ifname: master });
  const above = links.filter(
    (one) => one.lower === name && /^(macvlan|macvtap|ipvlan|ipvtap)$/.test(one.kind ?? ''),
  );
  if (above.length === 0) return undefined;
  return {
    why: `${above.map((one) => `${one.ifname} (${one.kind})`).join(', ')} is made on it, which the kernel allows only beside a bridge (EBUSY)`,
    todo: above.map(
      (one) => `sudo ip link delete dev ${shellWord(one.ifname)}   # after what uses it has stopped`,
    ),
  };
}

/** `ip link set master` would pull it out of there without a word. */
function enslaved(name: string, master: Pick<LinkFact, 'ifname' | 'kind'>): Objection {
  const kind = master.kind ?? 'device';
  const use: Readonly<Record<string, string>> = {
    bridge: `use that bridge: --net bridge:${master.ifname}`,
    bond: `qlaunch bridge create BR --uplink ${shellWord(master.ifname)}   # the bond as a whole`,
    team: `qlaunch bridge create BR --uplink ${shellWord(master.ifname)}   # the team as a whole`,
  };
  return {
    why: `it belongs to the ${kind} ${master.ifname} and would be torn out of it`,
    todo: [use[kind] ?? `ip -d link show dev ${shellWord(name)}`],
  };
}
