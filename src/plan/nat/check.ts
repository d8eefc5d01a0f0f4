/** Whether a network that was started still is what it was: each thing that others may have taken away. */
import { formatIp } from '../../spec/ip.ts';
import type { Finding } from '../doctor/finding.ts';
import { linkNamed } from '../facts.ts';
import { putFile } from '../files.ts';
import { obstacleFact, ownersCure } from '../firewall/cure.ts';
import { legacyCure, legacyFact } from '../firewall/legacy.ts';
import { NO_FIREWALL, obstaclesOf, peaceSteps } from '../firewall/peace.ts';
import { isOurTrust } from '../firewall/zone.ts';
import { isMarkOf } from '../owner.ts';
import { DEADLINE_MS, type Step } from '../step.ts';
import { IPV4_FORWARD, IPV6_FORWARD } from '../sysctl.ts';
import { checksumNote, checksumSteps } from './checksum.ts';
import { type DefinedNetwork, isHostBridge } from './defined.ts';
import { dnsmasqArgv, dnsmasqConf, stopDnsmasqArgv } from './dnsmasq.ts';
import type { NatFacts } from './facts.ts';
import { chainsRow } from './iptables.ts';
import { onThisHost, routeIPv6 } from './ipv6.ts';
import { localnetPath, setLocalnet } from './localnet.ts';
import { elsewhere } from './name-server.ts';
import { firewallStep, hostGuardStep, tableOf } from './nft.ts';
import { addressStep, type NatPaths, type NatStatus, routeIPv4, statusOf } from './start.ts';

export interface NetFinding extends Finding {
  /** The network's name. */
  readonly about: string;
  /** What no step of its journal does: its dnsmasq is started, or all of it anew. */
  readonly mend?: 'dnsmasq' | 'restart';
}

/** What is seen of one network beside the host's links. */
export interface NetSeen {
  readonly facts: NatFacts;
  /** `unknown`: only root may ask nft. */
  readonly table: 'there' | 'empty' | 'missing' | 'unknown';
  /** Attributes as they read; undefined: not there. */
  readonly forwarding: string | undefined;
  /** Of IPv6. */
  readonly forwarding6: string | undefined;
  readonly localnet: string | undefined;
  /** Checksums of DHCP answers are completed; undefined: by nobody, or it was not looked at. */
  readonly checksums: boolean | undefined;
  readonly dnsmasqPid: number | undefined;
  /** dnsmasq's configuration is where it was written. */
  readonly conf: boolean;
}

type Row = readonly [id: string, fact: string | undefined, well: string, fix?: readonly Step[]];

/** @param status as it was started, which may be another than the definition says now */
export function checkNetwork(
  given: DefinedNetwork,
  status: NatStatus,
  paths: NatPaths,
  seen: NetSeen,
): readonly NetFinding[] {
  const { network } = onThisHost(given, seen.facts);
  const { name } = network;
  const cure = [`sudo qlaunch net check ${name} --fix`];
  const link = linkNamed(seen.facts, status.bridge);
  if (isHostBridge(network)) return [hostBridge(status, link?.kind)];
  if (link?.ifalias === undefined || !isMarkOf(link.ifalias, { net: name })) return [gone(status)];
  const dnsmasq = dnsmasqFinding(status, seen, cure);
  if (isOther(network, status))
    return [
      {
        id: 'net-definition',
        about: name,
        state: 'warning',
        fact: 'its definition was changed since it was started, and it runs as it was',
        cure: [`sudo qlaunch net restart ${name}`],
      },
      ...dnsmasq,
    ];
  const mark = link.ifalias;
  const rows: readonly Row[] = [
    ...linkRows(network, link, status),
    ...tableRow(network, seen, mark),
    ...forwardingRows(network, seen),
    ...checksumRow(network, seen, mark),
    ...(status.dnsmasq && !seen.conf
      ? [
          [
            'net-configuration',
            `${paths.conf} is gone`,
            '',
            [putFile({ path: paths.conf, content: confOf(network, status, paths, seen) })],
          ] as const,
        ]
      : []),
  ];
  const firewall = seen.facts.firewall ?? NO_FIREWALL;
  const legacy = network.forward.mode === 'open' ? [] : (seen.facts.legacy ?? []);
  const obstacles = obstaclesOf(network, firewall);
  const peace = peaceSteps(network, firewall, mark);
  return [
    ...rows.map(
      ([id, fact, well, steps]): NetFinding => ({
        id,
        about: name,
        ...(fact === undefined ? { state: 'ok', fact: well } : { state: 'problem', fact, cure }),
        ...(fact === undefined || steps === undefined ? {} : { fix: { steps } }),
      }),
    ),
    ...obstacles.map(
      (obstacle, nth): NetFinding => ({
        id: 'net-firewall',
        about: name,
        state: 'problem',
        fact: obstacleFact(network, obstacle, firewall),
        cure: peace.length > 0 ? cure : ownersCure(network, obstacle, firewall),
        // They are one set, whoever drops.
        ...(nth === 0 && peace.length > 0 ? { fix: { steps: peace } } : {}),
      }),
    ),
    ...legacy.map(
      (program): NetFinding => ({
        id: 'net-firewall',
        about: name,
        state: 'warning',
        fact: legacyFact(program),
        cure: [legacyCure(program)],
      }),
    ),
    ...(obstacles.length + legacy.length === 0
      ? [
          {
            id: 'net-firewall',
            about: name,
            state: 'ok',
            fact: 'no firewall of this host drops what guests need',
          } as const,
        ]
      : []),
    ...dnsmasq,
  ];
}

const confOf = (
  network: DefinedNetwork,
  { nameServers }: NatStatus,
  paths: NatPaths,
  seen: NetSeen,
): string => elsewhere(dnsmasqConf(network, paths, seen.facts.resolvConf), nameServers);

const gone = ({ name, bridge }: NatStatus): NetFinding => ({
  id: 'net-bridge',
  about: name,
  state: 'problem',
  fact: `its bridge ${bridge} is gone, or somebody else’s`,
  cure: [`sudo qlaunch net check ${name} --fix`, `sudo qlaunch net restart ${name}`],
  mend: 'restart',
});

const hostBridge = ({ name, bridge }: NatStatus, kind: string | undefined): NetFinding => ({
  id: 'net-bridge',
  about: name,
  ...(kind === 'bridge'
    ? { state: 'ok', fact: `${bridge} is there` }
    : { state: 'problem', fact: `its bridge ${bridge} is gone`, cure: ['ip -br link show type bridge'] }),
});

function isOther(network: DefinedNetwork, status: NatStatus): boolean {
  const of = ({ bridge, mode, addresses, dnsmasq, dhcp, portgroups }: NatStatus): string =>
    JSON.stringify([bridge, mode, addresses, dnsmasq, dhcp, portgroups]);
  return of(statusOf(network)) !== of(status);
}

function linkRows(
  { bridge, ips, routes }: DefinedNetwork,
  {
    flags,
    addresses,
  }: {
    readonly flags: readonly string[];
    readonly addresses: readonly { local: string; prefixlen: number }[];
  },
  status: NatStatus,
): readonly Row[] {
  const has = new Set(addresses.map(({ local, prefixlen }) => `${local}/${prefixlen}`));
  const missing = status.addresses.filter((address) => !has.has(address));
  const again = ips.filter(({ address, subnet }) =>
    missing.includes(`${formatIp(address)}/${subnet.prefix}`),
  );
  const isUp = flags.includes('UP');
  const up = [addressStep({ bridge, ips: again, routes })];
  return [
    ['net-bridge', isUp ? undefined : `its bridge ${bridge.name} is down`, `${bridge.name} is up`, up],
    [
      'net-address',
      missing.length === 0 ? undefined : `${bridge.name} has lost ${missing.join(', ')}`,
      status.addresses.length === 0
        ? 'it has no address'
        : `${bridge.name} has ${status.addresses.join(', ')}`,
      // With the bridge, where that is down as well.
      isUp ? up : [],
    ],
  ];
}

function tableRow(network: DefinedNetwork, { table: state, facts }: NetSeen, mark: string): readonly Row[] {
  if (facts.iptables !== undefined) return chainsRow(network, facts.iptables, mark);
  const step = firewallStep(network, mark);
  if (step === undefined || state === 'unknown' || !('run' in step.do)) return [];
  const table = tableOf(network.name);
  const { run, stdin = '' } = step.do;
  const text = state === 'empty' ? `delete table ${table}\n${stdin}` : stdin;
  const { bridge } = network;
  const isTrusted =
    facts.firewall !== undefined &&
    facts.firewall.zoneOf?.[bridge.name] === 'trusted' &&
    isOurTrust(network, facts.firewall);
  return [
    [
      'net-table',
      state === 'there'
        ? undefined
        : `its table ${table} is ${state === 'empty' ? 'empty' : 'gone'}: nothing is translated or guarded`,
      `its table ${table} is there`,
      [{ ...step, do: { run, stdin: text } }, ...(isTrusted ? [hostGuardStep(network)] : [])],
    ],
  ];
}

function forwardingRows(
  network: DefinedNetwork,
  { forwarding, forwarding6, localnet, facts }: NetSeen,
): readonly Row[] {
  const { bridge, forward } = network;
  const row = (version: 'IPv4' | 'IPv6', now: string | undefined, steps: readonly Step[]): Row => [
    version === 'IPv4' ? 'net-forwarding' : 'net-forwarding6',
    now === '1'
      ? undefined
      : `this host does not route: ${version === 'IPv4' ? IPV4_FORWARD : IPV6_FORWARD} is ${now}`,
    `this host routes ${version}`,
    steps,
  ];
  const [steps4, steps6] = [routeIPv4(network), routeIPv6(network, facts)];
  return [
    ...(steps4.length === 0 ? [] : [row('IPv4', forwarding, steps4)]),
    ...(steps6.length === 0 ? [] : [row('IPv6', forwarding6, steps6)]),
    ...(steps4.length > 0 && forward.mode === 'nat' ? localnetRow(bridge.name, localnet, facts) : []),
  ];
}

function checksumRow(
  network: DefinedNetwork,
  { checksums, facts: { checksum } }: NetSeen,
  mark: string,
): readonly Row[] {
  // Said, and nothing that could be mended.
  const note = checksumNote(network, checksum);
  if (note !== undefined) return [['net-checksum', undefined, note]];
  const steps = checksumSteps(network, checksum, mark);
  if (steps.length === 0 || checksums === undefined) return [];
  const { name } = network.bridge;
  const fact = `nobody completes the checksum of DHCP answers on ${name}, which FreeBSD and old dhclients look at`;
  const well = `the checksum of DHCP answers is completed on ${name}`;
  return [['net-checksum', checksums ? undefined : fact, well, steps]];
}

/** Where it is on for nobody, a flushed ruleset is all that guests would need to reach what listens on 127.0.0.1. */
function localnetRow(bridge: string, now: string | undefined, { loopback }: NatFacts): readonly Row[] {
  const wanted = loopback?.includes(bridge) === true;
  if ((now === '1') === wanted) return [];
  const what = wanted
    ? 'forwards from 127.0.0.1 do not work'
    : 'it is open for forwards from 127.0.0.1, of which there are none';
  return [['net-localnet', `${what}: ${localnetPath(bridge)} is ${now}`, '', [setLocalnet(bridge, wanted)]]];
}

function dnsmasqFinding(
  { name, dnsmasq }: NatStatus,
  { dnsmasqPid: pid }: NetSeen,
  cure: readonly string[],
): readonly NetFinding[] {
  if (!dnsmasq) return [];
  const what = { id: 'net-dnsmasq', about: name } as const;
  return pid === undefined
    ? [
        {
          ...what,
          state: 'problem',
          fact: 'its dnsmasq has ended: no addresses, no names',
          cure,
          mend: 'dnsmasq',
        },
      ]
    : [{ ...what, state: 'ok', fact: `dnsmasq is pid ${pid}` }];
}

/** As it is printed: it is started outside of the journal, and taken back by what checks its configuration. */
export const dnsmasqStep = (bridge: string, paths: NatPaths): Step => ({
  title: `start dnsmasq on ${bridge}`,
  do: { run: dnsmasqArgv(paths) },
  undo: { run: stopDnsmasqArgv(paths), gone: [] },
  deadlineMs: DEADLINE_MS,
});
