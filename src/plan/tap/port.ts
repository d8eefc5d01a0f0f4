/** A tap becomes a port of a bridge: the address and the MTU it needs there, the bridge as its master, up. */
import { EXIT, QlaunchError } from '../../errors.ts';
import type { HostFacts, LinkFact } from '../facts.ts';
import { LINK_GONE } from '../links.ts';
import { isOwnerMark } from '../owner.ts';
import type { Argv, BatchLine, Undo } from '../step.ts';

export interface PortOptions {
  /** That of the bridge unless given: a port with a smaller one makes the whole bridge smaller. */
  readonly mtu?: number;
  /** The port may talk only to ports that are not isolated (linux/net/bridge/br_private.h, BR_ISOLATED; 4.18). */
  readonly isolated?: boolean;
}

export interface PortLineOptions extends PortOptions {
  /** Nobody keeps the tap but its process (QEMU made it): the only thing to take back is that it is a port. */
  readonly goesAway?: boolean;
}

/** Throws QL_NO_BRIDGE (exit 3): there is no such link, or it is none of the kernel's bridges. */
export function bridgeNamed(facts: Pick<HostFacts, 'links'>, name: string): LinkFact {
  const found = facts.links.find((link) => link.ifname === name);
  if (found?.kind === 'bridge') return found;
  const bridges = facts.links.filter((link) => link.kind === 'bridge').map((link) => link.ifname);
  throw new QlaunchError('QL_NO_BRIDGE', EXIT.refused, {
    what: found === undefined ? `there is no bridge ${name}` : `${name} is not a bridge`,
    why: [
      ...(found === undefined ? [] : [`${name} is a ${found.kind ?? 'network device'}`]),
      bridges.length === 0 ? 'this host has no bridge' : `the bridges of this host: ${bridges.join(', ')}`,
    ],
    todo: ['ip -br link show type bridge'],
  });
}

/**
 * The address of a tap on this bridge. A bridge whose address nobody set takes the lowest one of its ports
 * (br_stp_recalculate_bridge_id() in linux/net/bridge/br_stp_if.c), and setting it can not be undone exactly; `fe:` in
 * front is higher than that of any NIC. Bridges of ours have an address of their own.
 */
export function portMac(mac: string, bridge: LinkFact): string {
  return isOwnerMark(bridge.ifalias) ? mac : `fe${mac.slice(2)}`;
}

/**
 * What follows `ip link set dev TAP`, one line each: for NewLink.settings of a tap that is being made with the
 * address portMac() gives.
 */
export function portSettings(bridge: LinkFact, options: PortOptions = {}): readonly Argv[] {
  return [
    // Before it is a port: with the smaller one it would shrink the bridge for a moment.
    ['mtu', String(options.mtu ?? bridge.mtu)],
    ['master', bridge.ifname],
    ...(options.isolated === true ? [['type', 'bridge_slave', 'isolated', 'on'] as const] : []),
    ['up'],
  ];
}

/**
 * The lines of one `ip -batch` for a tap that is there already; none when it is as wanted. Their undo leaves the tap
 * as it was, and is left out where the tap of this name is another one by then. The tap must have no other master.
 */
export function portLines(
  tap: LinkFact,
  bridge: LinkFact,
  options: PortLineOptions = {},
): readonly BatchLine[] {
  const attached = tap.master === bridge.ifname;
  const before = tap.address ?? '';
  const mac = attached ? before : portMac(before, bridge);
  const gone = { nothing: `goes away with ${tap.ifname}` };
  const owns = { link: tap.ifname, mac };
  const set = (title: string, words: Argv, back?: Argv): BatchLine => {
    const isKept = back !== undefined && (options.goesAway !== true || back[0] === 'nomaster');
    const undo: Undo = isKept
      ? { run: ['ip', 'link', 'set', 'dev', tap.ifname, ...back], gone: LINK_GONE }
      : gone;
    return { title, words: ['link', 'set', 'dev', tap.ifname, ...words], undo, owns };
  };
  const lines: BatchLine[] = [];
  if (mac !== before) {
    const title = `give ${tap.ifname} an address that ${bridge.ifname} does not take over`;
    const line = set(title, ['address', mac], ['address', before]);
    lines.push({ ...line, owns: { ...owns, macBefore: before } });
  }
  for (const words of portSettings(bridge, options)) {
    const [key, value] = words;
    if (key === 'mtu' && String(tap.mtu) !== value)
      lines.push(set(`give ${tap.ifname} the MTU ${value}`, words, ['mtu', String(tap.mtu)]));
    if (key === 'master' && !attached)
      lines.push(set(`make ${tap.ifname} a port of ${bridge.ifname}`, words, ['nomaster']));
    if (key === 'type') lines.push(set(`isolate ${tap.ifname} from other ports`, words));
    if (key === 'up' && !tap.flags.includes('UP')) lines.push(set(`bring ${tap.ifname} up`, words, ['down']));
  }
  return lines;
}
