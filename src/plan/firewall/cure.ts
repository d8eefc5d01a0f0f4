/** What an administrator types where nothing of ours opens his firewall: a rule or a zone of his own says no. */
import type { DefinedNetwork } from '../nat/defined.ts';
import { shellWord } from '../shell.ts';
import { type FirewallFacts, type Obstacle, renderObstacle } from './peace.ts';
import { lostZone } from './zone.ts';

/** Of a network that runs. */
export function obstacleFact(network: DefinedNetwork, obstacle: Obstacle, facts: FirewallFacts): string {
  const isZoned = obstacle.owner === 'firewalld' && facts.zones.length > 0;
  const lost = isZoned ? lostZone(network, facts) : undefined;
  return `${renderObstacle(obstacle)}${lost === undefined ? '' : `; ${lost}`}`;
}

/** Lines to paste. */
export function ownersCure(
  network: DefinedNetwork,
  obstacle: Obstacle,
  facts: FirewallFacts,
): readonly string[] {
  if (obstacle.owner === 'ufw') return ufwCure(network.bridge.name, obstacle, facts);
  if (obstacle.owner === 'firewalld') return zoneCure(network, obstacle, facts);
  return ['sudo nft list ruleset'];
}

/**
 * As `ufw show added` prints it, "ufw route deny in on lab0 comment 'no guests'", it is deleted (ufw(8), "delete"). One for
 * a port that no guest needs is in nobody's way.
 */
function ufwCure(bridge: string, { dropped }: Obstacle, { ufw = [] }: FirewallFacts): readonly string[] {
  const isRouted = dropped.some(({ flow }) => flow.hook === 'forward');
  const isInTheWay = (rule: string): boolean => {
    const [, ports] = / to \S+ port (\S+)/.exec(rule) ?? [];
    const [, proto] = / proto (\S+)/.exec(rule) ?? [];
    return dropped.some(
      ({ flow: { packet } }) =>
        (ports === undefined || hasPort(ports, packet.dport)) &&
        (proto === undefined || proto === packet.proto),
    );
  };
  const lines = ufw.flatMap((line) => {
    const [, route = '', rule = ''] =
      /^ufw (route )?((?:deny|reject) .*?)(?: comment '.*')?$/.exec(line) ?? [];
    return rule.split(' ').includes(bridge) && (route !== '') === isRouted && isInTheWay(rule)
      ? [`sudo ufw ${route}delete ${rule}`]
      : [];
  });
  return lines.length > 0 ? lines : ['sudo ufw show added   # a rule of your own says no'];
}

/** "53", "80,443", "6000:6007" */
const hasPort = (ports: string, wanted: number): boolean =>
  ports.split(',').some((text) => {
    const [first = '', last = first] = text.split(':');
    return Number(first) <= wanted && wanted <= Number(last);
  });

/** By the port that is asked. firewalld lets what it needs of IPv6's neighbours pass by itself. */
const SERVICES: Readonly<Record<number, string>> = { 53: 'dns', 67: 'dhcp', 69: 'tftp', 547: 'dhcpv6' };

function zoneCure(
  { name, bridge }: DefinedNetwork,
  { dropped }: Obstacle,
  { zoneOf }: FirewallFacts,
): readonly string[] {
  const zone = bridge.zone ?? zoneOf?.[bridge.name];
  if (zone === undefined) return ['sudo firewall-cmd --list-all-zones   # the zone of the bridge says no'];
  const asked = dropped.filter(({ flow }) => flow.hook === 'input');
  const services = new Set(asked.flatMap(({ flow }) => SERVICES[flow.packet.dport] ?? []));
  const words = [...services].sort().map((service) => `--add-service=${service}`);
  return [
    ...(words.length === 0
      ? []
      : [
          `sudo firewall-cmd --zone=${zone} ${words.join(' ')}   # until its reload; once more with --permanent`,
        ]),
    ...(asked.length < dropped.length
      ? [
          `sudo qlaunch net edit ${shellWord(name)}   # without zone="${zone}" it gets one which lets guests out`,
        ]
      : []),
  ];
}
