/**
 * The ports of a network as they are, beside what they were made: when somebody deletes the bridge, they are plugged into
 * the one that comes in its place.
 */
import type { Finding } from '../doctor/finding.ts';
import { type HostFacts, type LinkFact, linkNamed } from '../facts.ts';
import { isMarkOf } from '../owner.ts';
import { shellWord } from '../shell.ts';
import { type Argv, type BatchLine, DEADLINE_MS, type Step } from '../step.ts';
import { vlanSteps } from '../tap/options.ts';
import { portSettings } from '../tap/port.ts';
import type { KnownPort } from './known-port.ts';
import { type LivePort, lostSetting } from './live-port.ts';

/** A tap that is not the port that it was. */
export interface LostPort {
  readonly port: KnownPort;
  readonly fact: string;
  /** None: it is for a person to decide, or the bridge can not give it what it had. */
  readonly steps: readonly Step[];
  readonly cure: readonly string[];
}

/**
 * @param ports of the network whose bridge this is
 * @param live by their taps; undefined: nobody looked
 */
export function lostPorts(
  ports: readonly KnownPort[],
  bridge: LinkFact,
  facts: HostFacts,
  live?: ReadonlyMap<string, LivePort>,
): readonly LostPort[] {
  return ports.flatMap((port) => {
    const { tap: name, vm, vlan, trunk, network } = port;
    const tap = linkNamed(facts, name);
    // Another tap of that name, of a VM that has ended since.
    if (tap === undefined || !isMarkOf(tap.ifalias, { vm })) return [];
    const isPort = tap.master === bridge.ifname;
    const isThere = isPort && tap.flags.includes('UP');
    const now = isThere ? live?.get(name) : undefined;
    const lacks = now === undefined ? undefined : lostSetting(port, now, bridge);
    const isBlind = (vlan !== undefined || trunk !== undefined) && bridge.bridge?.vlanFiltering !== true;
    if (isThere && lacks === undefined && !isBlind) return [];
    const who = `${name} of VM ${vm}`;
    const by = (fact: string, cure: string): readonly LostPort[] => [{ port, fact, steps: [], cure: [cure] }];
    if (!isPort && tap.master !== undefined)
      return by(
        `${who} is a port of ${tap.master}, and not of ${bridge.ifname}`,
        // By --fix: there it would be without its VLANs, and not isolated.
        `sudo ip link set dev ${shellWord(name)} nomaster; sudo qlaunch net check ${network} --fix`,
      );
    if (isBlind)
      return by(
        `${who} is in a VLAN of its own, and ${bridge.ifname} does not look at VLANs: ${isThere ? 'it is with all others' : 'it stays unplugged'}`,
        `sudo ip link set dev ${shellWord(bridge.ifname)} type bridge vlan_filtering 1; sudo qlaunch net check ${network} --fix`,
      );
    const fact = `${who} ${lacks ?? (isPort ? 'is down' : 'is plugged into nothing')}`;
    const cure = [`sudo qlaunch net check ${network} --fix`];
    return [{ port, fact, steps: plugSteps(port, tap, bridge, facts), cure }];
  });
}

/**
 * A tap that QEMU's bridge helper made, of which nothing is written down: a port like that of any guest there.
 * @param whose "VM web"
 */
export function lostHelperPort(
  { network, isolated, tap, whose, isAllowed }: HelperPort,
  bridge: LinkFact,
  facts: HostFacts,
): LostPort {
  const { ifname } = tap;
  const port = { v: 1, network, vm: whose, tap: ifname, ...(isolated ? { isolated } : {}) } as const;
  const fact = `${ifname} of ${whose} is plugged into nothing`;
  if (isAllowed)
    return {
      port,
      fact,
      steps: plugSteps(port, tap, bridge, facts),
      cure: [`sudo qlaunch net check ${network} --fix`],
    };
  return {
    port,
    fact: `${fact}, and its user may not use ${bridge.ifname}`,
    steps: [],
    cure: [`${byHand(ifname, bridge.ifname, isolated)}   # only if it shall be there all the same`],
  };
}

/** Down until it is isolated: nothing passes beside it. */
function byHand(tap: string, bridge: string, isolated: boolean): string {
  const set = `sudo ip link set dev ${shellWord(tap)}`;
  const plug = `${set} master ${shellWord(bridge)}`;
  return isolated
    ? [`${set} down`, plug, `${set} type bridge_slave isolated on`, `${set} up`].join(' && ')
    : plug;
}

interface HelperPort {
  readonly network: string;
  readonly isolated: boolean;
  readonly tap: LinkFact;
  readonly whose: string;
  readonly isAllowed: boolean;
}

/** As a tap is made a port at the launch. Until it has all of that it is down: nothing passes beside its VLAN. */
function plugSteps(
  { tap: name, isolated, vlan, trunk }: KnownPort,
  tap: LinkFact,
  bridge: LinkFact,
  facts: HostFacts,
): readonly Step[] {
  const line = (...words: Argv): BatchLine => ({
    title: `set ${name} ${words.join(' ')}`,
    words: ['link', 'set', 'dev', name, ...words],
    undo: { nothing: 'it goes away with the bridge' },
  });
  const batch = (title: string, lines: readonly BatchLine[]): Step => ({
    title,
    do: { batch: 'ip', lines },
    undo: { eachLine: true },
    deadlineMs: DEADLINE_MS,
  });
  const settings = portSettings(bridge, { isolated: isolated === true });
  const vlans = vlanSteps(
    {
      name,
      bridge: bridge.ifname,
      ...(vlan === undefined ? {} : { vlan }),
      ...(trunk === undefined ? {} : { trunk }),
    },
    facts,
  );
  const isPlain = isolated !== true && vlans.length === 0;
  const before = [
    ...(isPlain ? [] : [line('down')]),
    // Whoever began it was killed: from the start.
    ...(tap.master === undefined ? [] : [line('nomaster')]),
  ];
  const title = `plug ${name} into ${bridge.ifname}`;
  if (vlans.length === 0) return [batch(title, [...before, ...settings.map((words) => line(...words))])];
  return [
    batch(title, [...before, ...settings.filter(([key]) => key !== 'up').map((words) => line(...words))]),
    ...vlans,
    batch(`bring ${name} up`, [line('up')]),
  ];
}

export interface PortFinding extends Finding {
  readonly about: string;
}

/** Of the bridge that the network has. */
export function portFindings(
  name: string,
  ports: readonly KnownPort[],
  lost: readonly LostPort[],
  bridge: LinkFact,
  facts: HostFacts,
): readonly PortFinding[] {
  const there = ports.filter(({ tap, vm }) => isMarkOf(linkNamed(facts, tap)?.ifalias, { vm }));
  const about = { id: 'net-ports', about: name } as const;
  if (lost.length === 0 && there.length > 0) {
    const taps = there.map(({ tap }) => tap).join(', ');
    return [{ ...about, state: 'ok', fact: `plugged into ${bridge.ifname}: ${taps}` }];
  }
  return lost.map(({ fact, steps, cure }) => ({
    ...about,
    state: 'problem',
    fact,
    cure,
    ...(steps.length === 0 ? {} : { fix: { steps } }),
  }));
}
