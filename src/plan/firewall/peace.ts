/**
 * Another firewall of this host drops what our guests need: an `accept` of ours can not undo somebody's `drop` (nft(8)),
 * so it is opened in its own words, for as long as the network runs.
 */
import type { DefinedNetwork } from '../nat/defined.ts';
import { hostGuardStep } from '../nat/nft.ts';
import type { Step } from '../step.ts';
import { flowsOf, type Surroundings, servesFiles } from './flows.ts';
import { type Dropped, openSteps } from './open.ts';
import type { Chain } from './ruleset.ts';
import { ufwSteps } from './ufw.ts';
import { type Drop, dropsOf } from './verdict.ts';
import { isOurTrust, type Zones, zoneSteps } from './zone.ts';

/** Zones: of a firewalld that runs. */
export interface FirewallFacts extends Surroundings, Zones {
  readonly chains: readonly Chain[];
  /** Of iptables and ufw: those that are there. */
  readonly tools: readonly string[];
  /** As `ufw show added` prints them, "ufw allow in on lab0 to any port 53"; without them nothing is told to ufw. */
  readonly ufw?: readonly string[];
}

/** Nobody's rules. */
export const NO_FIREWALL: FirewallFacts = { chains: [], tools: [], zones: [], bridgeFilter: false };

/** One chain that drops something. */
export interface Obstacle {
  readonly owner: string;
  /** "ip filter FORWARD" */
  readonly chain: string;
  /** What it keeps from passing. */
  readonly what: readonly string[];
  /** "by its policy", or the rule of the first. */
  readonly because: string;
  readonly dropped: readonly Dropped[];
}

export function obstaclesOf(network: DefinedNetwork, facts: FirewallFacts): readonly Obstacle[] {
  const found = new Map<Chain, { drop: Drop; dropped: Dropped[] }>();
  for (const flow of flowsOf(network, facts))
    for (const drop of dropsOf(facts.chains, flow.hook, flow.packet)) {
      const entry = found.get(drop.chain) ?? { drop, dropped: [] };
      entry.dropped.push({ flow, drop });
      found.set(drop.chain, entry);
    }
  return [...found.values()].map(({ drop, dropped }) => ({
    owner: ownerOf(drop, facts),
    chain: nameOf(drop.chain),
    what: dropped.map(({ flow }) => flow.what),
    because: drop.rule === undefined ? 'by its policy' : `by the rule "${drop.rule}" of ${drop.at.chain}`,
    dropped,
  }));
}

/** "Docker drops in ip filter FORWARD by its policy: guests reach out, answers come back to guests" */
export const renderObstacle = ({ owner, chain, what, because }: Obstacle): string =>
  `${owner} drops in ${chain} ${because}: ${what.join(', ')}`;

const nameOf = ({ family, table, name }: Chain): string => `${family} ${table} ${name}`;

function ownerOf({ chain }: Drop, { chains }: FirewallFacts): string {
  const beside = chains.filter(({ family, table }) => family === chain.family && table === chain.table);
  const has = (start: string): boolean => beside.some(({ name }) => name.startsWith(start));
  if (chain.table === 'firewalld') return 'firewalld';
  if (chain.rules.some((rule) => /jump ufw6?-/.test(rule))) return 'ufw';
  if (chain.hook === 'forward' && has('DOCKER-USER')) return 'Docker';
  if (has('nixos-fw')) return 'NixOS';
  return `the table ${chain.family} ${chain.table}`;
}

export function peaceSteps(network: DefinedNetwork, facts: FirewallFacts, mark: string): readonly Step[] {
  const obstacles = obstaclesOf(network, facts);
  const bridge = network.bridge.name;
  const wanted = network.bridge.zone;
  const of = (owner: string): readonly Obstacle[] => obstacles.filter((one) => one.owner === owner);
  const added = of('ufw').length > 0 ? facts.ufw : undefined;
  const byZone = facts.zones.length > 0 && (of('firewalld').length > 0 || wanted !== undefined);
  const rest = obstacles.filter(
    ({ owner }) => !(facts.tools.includes('ufw') && owner === 'ufw') && !(byZone && owner === 'firewalld'),
  );
  const needs = {
    ipv6: network.ips.some(({ address }) => address.family === 6),
    tftp: servesFiles(network),
  };
  const hooks = new Set(of('ufw').map(({ dropped: [first] }) => first?.drop.chain.hook));
  const zoned = byZone ? zoneSteps(network, facts) : [];
  return [
    ...(added === undefined ? [] : ufwSteps(bridge, needs, mark, added, hooks)),
    ...(zoned.length > 0 && isOurTrust(network, facts) ? [hostGuardStep(network)] : []),
    ...zoned,
    ...rest.flatMap(({ dropped }) => openSteps(dropped, facts.chains, bridge, mark, facts.tools)),
  ];
}
