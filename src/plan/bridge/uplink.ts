/**
 * A NIC in use becomes a port, and all that was on it goes to the bridge. The order is what was measured to lose least:
 * the bridge is made beside, then one batch moves the NIC, adds everything on the bridge and takes it off the NIC.
 */
import { EXIT, QlaunchError } from '../../errors.ts';
import type { BridgeSettings } from '../../spec/bridge/settings.ts';
import { planBridge } from '../bridge.ts';
import type { HostFacts, LinkFact } from '../facts.ts';
import type { Lifetime } from '../lifetime.ts';
import { LINK_GONE } from '../links.ts';
import {
  type Argv,
  type BatchLine,
  DEADLINE_MS,
  type FileContent,
  type Owns,
  type Plan,
  type Step,
} from '../step.ts';
import { batchText } from '../words.ts';
import { askByDhcp, type DhcpClient, endClient, keepResolvConf, startClient } from './dhcp.ts';
import { type Handover, missingLines } from './handover/steps.ts';
import { arrivalLines, checkedLines, departureLines, type Layer3 } from './layer3.ts';
import type { NameServers } from './name-servers.ts';
import { linkOf } from './port.ts';
import { type Readdress, readdressed } from './readdress.ts';
import { refuseAsPort } from './refuse.ts';
import { renameRule } from './rename-rule.ts';
import { moveLinkSettings, type readLinkSettings } from './resolved.ts';
import { learn, relearn } from './router.ts';
import { namesLink, type Rule } from './rule.ts';
import { copySetting, type LinkSetting, quiet, settle } from './sysctls.ts';

export interface UplinkWish extends BridgeSettings {
  readonly name: string;
  readonly uplink: string;
  readonly lifetime: Lifetime;
  /** Absent: the bridge gets what the NIC has. */
  readonly readdress?: Readdress;
}

export interface UplinkFacts extends Layer3 {
  readonly rules: readonly Rule[];
  /** Of the NIC, as far as it differs from what a new link has: "ipv4/conf" and "ipv6/conf" by name. */
  readonly settings: readonly LinkSetting[];
  /** addr_gen_mode of the NIC; absent: this kernel has no IPv6, or none on this NIC. */
  readonly genMode?: string;
  readonly clients: readonly DhcpClient[];
  /** The IPv4 address of a lease that systemd-networkd has: on a bridge of ours it has no lifetime (KeepConfiguration=). */
  readonly leased?: string;
  /** That came with its lease; of a bridge with addresses of its own: with the NIC's. */
  readonly nameServers?: NameServers;
  /** A program in the NIC's driver path (XDP). */
  readonly xdp: boolean;
  /** Of systemd-resolved; empty where it does not run, or has nothing for this link. */
  readonly resolved: ReturnType<typeof readLinkSettings>;
  /** The DHCP client that is installed here; asked only where none runs. */
  readonly dhcpProgram?: string;
  /** As it is now, where a client may overwrite it; absent: it is a link, or there is none. */
  readonly resolvConf?: FileContent;
}

/** No network manager has it. */
const NOBODY: Handover = { withinS: 0, first: [], last: [] };

export function planUplink(
  wish: UplinkWish,
  facts: HostFacts,
  uplink: UplinkFacts,
  { first, instead, last }: Handover = NOBODY,
): Plan<HostFacts> {
  const nic = linkOf(facts, wish.uplink);
  refuseAsPort(nic, facts);
  if (uplink.xdp) throw refusedXdp(nic.ifname);
  const mac = nic.address ?? '';
  const owns: Owns = { link: nic.ifname, mac };
  const bridge = planBridge({ ...wish, mac, mtu: wish.mtu ?? nic.mtu }, facts);
  // A rule that is in its profile as well, the manager may make: by then ours is there.
  if (instead !== undefined)
    return { steps: [...first, ...renameRules(wish, uplink, owns), ...instead, ...besides(wish, uplink)] };
  const { readdress } = wish;
  const arriving = readdress === undefined ? uplink : readdressed(uplink, readdress).layer;
  const handedOver = clientsHandedOver(uplink, arriving, readdress);
  const isHeld = first.length > 0;
  return {
    steps: [
      ...first,
      ...relearn(nic.ifname, uplink),
      ...bridge.steps,
      ...uplink.settings.map((one) => copySetting(wish.name, one)),
      ...quiet(wish.name, wish.uplink, uplink.genMode, owns),
      ...handedOver.flatMap((client) => startClient(client, nic.ifname, wish.name, owns)),
      // Before, so that they are taken back after it: a port that leaves its bridge loses them (RTM_DELLINK of AF_BRIDGE).
      ...moveLinkSettings(uplink.resolved, nic.ifname, wish.name, owns),
      moveStep(wish, nic, uplink, arriving, owns, isHeld),
      ...settle(wish.name, wish.uplink, uplink.genMode, owns),
      // A manager that has the bridge may have made the same one, and dropped ours.
      ...renameRules(wish, uplink, owns),
      ...last,
      ...learn(wish.name, arriving),
      ...(readdress?.dhcp === true && handedOver.length === 0 && !isHeld
        ? [
            ...(uplink.resolvConf === undefined ? [] : [keepResolvConf(uplink.resolvConf)]),
            askByDhcp(uplink.dhcpProgram, wish.name, owns),
          ]
        : []),
      ...uplink.clients.map((client) => endClient(client, nic.ifname, owns)),
    ],
  };
}

const renameRules = (wish: UplinkWish, { rules }: UplinkFacts, owns: Owns): readonly Step[] =>
  rules.filter((rule) => namesLink(rule, wish.uplink)).flatMap((rule) => renameRule(rule, wish, owns));

/** What is in nobody's profile. IPv6 is set as its profile says. */
const besides = (wish: UplinkWish, uplink: UplinkFacts): readonly Step[] =>
  uplink.settings.filter(({ family }) => family === 'ipv4').map((one) => copySetting(wish.name, one));

/** Those whose lease moves along: without its client an IPv4 address would end with its lifetime. */
export function clientsHandedOver(
  { clients, addresses }: UplinkFacts,
  arriving: Layer3,
  readdress: Readdress | undefined,
): readonly DhcpClient[] {
  if (readdress === undefined || readdress.dhcp) return clients;
  const kept = arriving.addresses.filter((one) => one.family === 'inet' && addresses.includes(one));
  return clients.filter(({ address }) =>
    kept.some(({ validS, local }) => validS !== undefined || local === address),
  );
}

/** The title of the line whose undo is the whole way back. */
export const moveTitle = (bridge: string, nic: string): string =>
  `make ${nic} a port of ${bridge}, with all that is on it`;

/**
 * What puts everything back onto the NIC, from whatever point the move had reached; of one that a manager may have again
 * by then, what is missing: a route of its new lease is not replaced by that of the old one.
 */
function wayBack(nic: string, uplink: Layer3, wasUp: boolean, isHeld: boolean): readonly Argv[] {
  return [
    ['link', 'set', 'dev', nic, 'nomaster'],
    // Routes want it up, whatever was done to the port meanwhile.
    ['link', 'set', 'dev', nic, 'up'],
    ...(isHeld ? missingLines(uplink, nic) : [...arrivalLines(uplink, nic), ...checkedLines(uplink, nic)]),
    ...(wasUp ? [] : [['link', 'set', 'dev', nic, 'down'] as const]),
  ];
}

export const wayBackText = (nic: string, uplink: Layer3, wasUp: boolean, isHeld: boolean): string =>
  batchText(wayBack(nic, uplink, wasUp, isHeld).map((words) => ({ words })));

const BATCH: Argv = ['ip', '-batch', '-'];
/** A manager that is told to take the NIC again has its hands on it meanwhile; what counts is how it ends: `first`. */
const BATCH_AS_FAR: Argv = ['sh', '-c', 'ip -force -batch - || :'];

function moveStep(
  wish: UplinkWish,
  nic: LinkFact,
  uplink: UplinkFacts,
  arriving: Layer3,
  owns: Owns,
  isHeld: boolean,
): Step {
  const { ifname: name } = nic;
  const wasUp = nic.flags.includes('UP');
  const undone = { nothing: `${name} gets all of it back at once` };
  const line = (words: Argv): BatchLine => ({ title: words.join(' '), words, undo: undone });
  const arrival = arrivalLines(arriving, wish.name);
  return {
    title: `move all that is on ${name} to ${wish.name}`,
    do: {
      batch: 'ip',
      lines: [
        {
          title: moveTitle(wish.name, name),
          words: ['link', 'set', 'dev', name, 'master', wish.name],
          undo: {
            run: isHeld ? BATCH_AS_FAR : BATCH,
            stdin: wayBackText(name, uplink, wasUp, isHeld),
            gone: LINK_GONE,
          },
          owns,
        },
        ...(wasUp ? [] : [line(['link', 'set', 'dev', name, 'up'])]),
        ...(wish.mtu === undefined || wish.mtu === nic.mtu ? [] : [mtuLine(nic, wish.mtu, owns)]),
        ...arrival.map(line),
        ...departureLines(uplink).map(line),
        ...checkedLines(arriving, wish.name).map(line),
      ],
    },
    undo: { eachLine: true },
    deadlineMs: DEADLINE_MS,
  };
}

function mtuLine(nic: LinkFact, mtu: number, owns: Owns): BatchLine {
  return {
    title: `give ${nic.ifname} the MTU ${mtu}`,
    words: ['link', 'set', 'dev', nic.ifname, 'mtu', String(mtu)],
    undo: { run: ['ip', 'link', 'set', 'dev', nic.ifname, 'mtu', String(nic.mtu)], gone: LINK_GONE },
    owns,
  };
}

function refusedXdp(name: string): QlaunchError {
  return new QlaunchError('QL_NOT_A_PORT', EXIT.refused, {
    what: `will not make ${name} a port of a bridge`,
    why: ['an XDP program is attached to it, which may take frames before the bridge sees them'],
    todo: [`sudo ip link set dev ${name} xdp off   # if nothing needs it`],
  });
}
