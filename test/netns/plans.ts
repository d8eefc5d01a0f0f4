/** Small real plans that the kill matrix carries out. */
import { planAddPort } from '../../src/plan/bridge/port.ts';
import { planSet } from '../../src/plan/bridge/set.ts';
import { planBridge } from '../../src/plan/bridge.ts';
import { type HostFacts, type LinkFact, linkNamed } from '../../src/plan/facts.ts';
import { makeDirectory, putFile } from '../../src/plan/files.ts';
import { peaceSteps } from '../../src/plan/firewall/peace.ts';
import { parseRuleset } from '../../src/plan/firewall/ruleset.ts';
import { planPlug } from '../../src/plan/hook/plug.ts';
import type { Lifetime } from '../../src/plan/lifetime.ts';
import { LINK_GONE } from '../../src/plan/links.ts';
import { type DefinedNetwork, isDefined } from '../../src/plan/nat/defined.ts';
import { planNetwork } from '../../src/plan/nat/start.ts';
import { ownerMark } from '../../src/plan/owner.ts';
import { DEADLINE_MS, type FilePath, type Plan, type Step } from '../../src/plan/step.ts';
import { IPV4_FORWARD, IPV6_FORWARD, setAttribute, shareAttribute } from '../../src/plan/sysctl.ts';
import { planTaps } from '../../src/plan/tap/managed.ts';
import { bridgeNamed } from '../../src/plan/tap/port.ts';
import { readNetwork } from '../../src/spec/nat/read.ts';

export const LIFETIME: Lifetime = { vm: 'test' };

export type Planner = (facts: HostFacts) => Plan<HostFacts>;

/** All that this kernel has; VLANs are in port.test.ts, where there are some. */
const PORT = {
  isolated: true,
  rate: { toGuest: 1e8, fromGuest: 5e7 },
  antispoof: ['192.0.2.5', '2001:db8::5'],
  guestMac: '52:54:00:00:00:01',
} as const;

const NETWORK = `<network><name>test</name><forward/><bridge name='br-t'/><mac address='52:54:00:00:00:01'/>
  <ip address='10.99.0.1' prefix='24'><dhcp><range start='10.99.0.2' end='10.99.0.9'/></dhcp></ip></network>`;

function readWhole(): DefinedNetwork {
  const { network } = readNetwork(NETWORK, 'test');
  if (!isDefined(network)) throw new Error('not whole');
  return network;
}

/** Everything of a network but its dnsmasq, which is started when the plan is done. */
function nat(etc: string): Planner {
  const network = readWhole();
  const file = (name: string): FilePath => `${etc}/${name}` as FilePath;
  const paths = {
    ...{ dir: file(''), conf: file('conf'), pid: file('pid'), leases: file('leases'), hosts: file('hosts') },
    status: file('json'),
  };
  return (facts) => planNetwork(network, paths, { ...facts, routes: [], ipv6: true, resolvConf: true });
}

/** Another firewall drops all: it is opened in its own table. */
const WALL = `table inet wall {
	chain input {
		type filter hook input priority filter; policy drop;
	}
}
`;

function openedWall(facts: HostFacts): Plan<HostFacts> {
  const firewall = { chains: parseRuleset(WALL), tools: [], zones: [], bridgeFilter: false };
  const mark = ownerMark(LIFETIME, facts.token);
  const wall: Step = {
    title: 'put up a wall',
    do: {
      run: ['nft', '-f', '-'],
      stdin: WALL.replace('table inet wall {', `table inet wall { comment "${mark}";`),
    },
    undo: { run: ['nft', 'delete', 'table', 'inet', 'wall'], gone: ['No such file or directory'] },
    owns: { nft: 'inet wall', comment: mark },
    deadlineMs: DEADLINE_MS,
  };
  const bridge = planBridge({ name: 'br-t', lifetime: LIFETIME }, facts);
  return { steps: [...bridge.steps, wall, ...peaceSteps(readWhole(), firewall, mark)] };
}

/** As the step before it makes it. */
const TAP: LinkFact = {
  ifindex: 0,
  ifname: 'tap-t',
  mtu: 1500,
  flags: [],
  link_type: 'ether',
  addresses: [],
};

/** By name, so that a child can be told which. `etc` is a directory of the test's own. */
export const PLANS: Readonly<Record<string, (etc: string) => Planner>> = {
  bridge: () => (facts) => planBridge({ name: 'br-t', lifetime: LIFETIME }, facts),
  /** All that `bridge create` may be told, but VLANs; then a port, and other settings. */
  'bridge of its own': () => (facts) => ({
    steps: planBridge(
      {
        name: 'br-t',
        lifetime: LIFETIME,
        mtu: 1400,
        stp: true,
        addresses: ['192.0.2.1/24', '2001:db8::1/64'],
      },
      facts,
    ).steps,
    next: {
      waitsFor: 'the bridge is there',
      preview: [],
      plan: (later) => ({
        steps: planSet('br-t', { stp: false, delayS: 0, mtu: 1300 }, later).steps,
        next: {
          waitsFor: 'a link is there',
          preview: [],
          plan: (last) => ({
            steps: [
              ...planTaps([{ name: 'tap-t', uid: 65_534, queues: 1 }], LIFETIME, last).steps,
              ...planAddPort('br-t', 'tap-t', { ...last, links: [...last.links, TAP] }).steps,
            ],
          }),
        },
      }),
    },
  }),
  /** A bridge of ours and a tap on it: the tap has no mark but its name when it is born. */
  taps: () => (facts) => {
    const bridge = planBridge({ name: 'br-t', lifetime: LIFETIME }, facts);
    return {
      steps: bridge.steps,
      next: {
        waitsFor: 'the bridge tells its MTU',
        preview: [],
        plan: (later) =>
          planTaps([{ name: 'tap-t', uid: 65_534, queues: 1, bridge: 'br-t', ...PORT }], LIFETIME, later),
      },
    };
  },
  /** A tap that stays becomes a port, as qemu-ifup does it. */
  port: () => (facts) => ({
    steps: [
      ...planBridge({ name: 'br-t', lifetime: LIFETIME }, facts).steps,
      {
        title: 'make the tap tap-t',
        do: { run: ['ip', 'tuntap', 'add', 'dev', 'tap-t', 'mode', 'tap'] },
        undo: { run: ['ip', 'link', 'delete', 'dev', 'tap-t'], gone: LINK_GONE },
        owns: { link: 'tap-t' },
        deadlineMs: DEADLINE_MS,
      },
      {
        title: 'give the tap an address that is the same each time',
        do: { run: ['ip', 'link', 'set', 'dev', 'tap-t', 'address', '02:00:00:00:00:07'] },
        undo: { nothing: 'goes away with the tap' },
        deadlineMs: DEADLINE_MS,
      },
    ],
    next: {
      waitsFor: 'the kernel chooses the address of the tap',
      preview: [],
      plan: (later) => {
        const tap = linkNamed(later, 'tap-t');
        if (tap === undefined) throw new Error('there is no tap');
        const bridge = { ...bridgeNamed(later, 'br-t'), mtu: 1400, ifalias: 'of somebody else' };
        return planPlug({ tap, goesAway: false, bridge }, {});
      },
    },
  }),
  sysctl: () => () => ({
    steps: [
      setAttribute('/proc/sys/net/ipv4/conf/lo/rp_filter', '2', 'loosen the source check on lo'),
      shareAttribute(IPV4_FORWARD, '1', 'let the host route IPv4'),
      shareAttribute(IPV6_FORWARD, '1', 'let the host route IPv6'),
    ],
  }),
  files: (etc) => () => ({
    steps: [
      putFile({ path: `${etc}/there.conf` as FilePath, content: 'new\n', mode: 0o600 }),
      makeDirectory(`${etc}/new.d` as FilePath, 0o750),
      putFile({ path: `${etc}/new.d/br-t.conf` as FilePath, content: 'hello\n' }),
      putFile({ path: `${etc}/link.conf` as FilePath, content: 'no link any more\n' }),
    ],
  }),
  /** Later steps upon earlier ones: undone in the wrong order they would look like a stranger's. */
  chain: (etc) => () => ({
    steps: [
      setAttribute('/proc/sys/net/ipv4/conf/lo/rp_filter', '1', 'check the source on lo'),
      setAttribute('/proc/sys/net/ipv4/conf/lo/rp_filter', '2', 'loosen the source check on lo'),
      makeDirectory(`${etc}/new.d` as FilePath),
      putFile({ path: `${etc}/new.d/a` as FilePath, content: 'one\n' }),
      putFile({ path: `${etc}/new.d/a` as FilePath, content: 'two\n' }),
    ],
  }),
  nat,
  'an opened wall': () => openedWall,
  /** Everything at once, with a stage that needs what the first one made. */
  staged: (etc) => (facts) => ({
    steps: [
      ...planBridge({ name: 'br-t', lifetime: LIFETIME }, facts).steps,
      shareAttribute(IPV4_FORWARD, '1', 'let the host route IPv4'),
    ],
    next: {
      waitsFor: 'the kernel numbers the bridge',
      preview: [],
      plan: (later) => ({
        steps: [
          setAttribute('/proc/sys/net/ipv6/conf/br-t/accept_ra', '0', 'ignore router advertisements on br-t'),
          putFile({
            path: `${etc}/br-t.conf` as FilePath,
            content: `ifindex=${later.links.find((link) => link.ifname === 'br-t')?.ifindex}\n`,
          }),
        ],
      }),
    },
  }),
};

export function planner(name: string, etc: string): Planner {
  const make = PLANS[name];
  if (make === undefined) throw new Error(`no plan ${name}`);
  return make(etc);
}
