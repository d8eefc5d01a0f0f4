/** firewalld's zone of a bridge, for as long as the network runs. */
import type { DefinedNetwork } from '../nat/defined.ts';
import { type Argv, DEADLINE_MS, type Step } from '../step.ts';

/** As firewalld has them at run time. */
export interface Zones {
  readonly zones: readonly string[];
  /** By the name of an interface. */
  readonly zoneOf?: Readonly<Record<string, string>>;
}

/** Every firewalld has it, and it lets guests reach all of this host. */
const TRUSTED = 'trusted';

/** libvirt's zones, where they are installed, are made for this; into a routed one others may connect. */
function usualZone({ forward }: Pick<DefinedNetwork, 'forward'>, { zones }: Zones): string {
  const wanted = forward.mode === 'route' ? ['libvirt-routed', 'libvirt'] : ['libvirt'];
  return wanted.find((zone) => zones.includes(zone)) ?? TRUSTED;
}

/** Whether this host's own services have to be guarded by us: a zone that the definition names is its author's choice. */
export const isOurTrust = (network: DefinedNetwork, zones: Zones): boolean =>
  network.bridge.zone === undefined && zones.zones.length > 0 && usualZone(network, zones) === TRUSTED;

/** `$1` the interface, `$2` our zone, `$3` the zone that it had, or nothing. */
const PUT_BACK = [
  'now=$(firewall-cmd --get-zone-of-interface="$1" 2>&1)',
  'case $now in',
  '  "$2") if [ -n "$3" ]; then exec firewall-cmd --zone="$3" --change-interface="$1"; fi',
  '    exec firewall-cmd --zone="$2" --remove-interface="$1" ;;',
  '  *"not running"* | *"no zone"*) exit 0 ;;',
  '  *[!A-Za-z0-9_-]*) echo "$now" >&2; exit 1 ;;',
  'esac',
].join('\n');

/** None where it is there already. */
export function zoneSteps(network: DefinedNetwork, zones: Zones): readonly Step[] {
  const { name: bridge, zone = usualZone(network, zones) } = network.bridge;
  const before = zones.zoneOf?.[bridge];
  if (before === zone) return [];
  const run: Argv = ['firewall-cmd', `--zone=${zone}`, `--change-interface=${bridge}`];
  return [
    {
      title: `put ${bridge} into firewalld's zone ${zone}`,
      do: { run },
      undo: { run: ['/bin/sh', '-c', PUT_BACK, 'put-back', bridge, zone, before ?? ''], gone: [] },
      // Also where the bridge is gone by then: firewalld remembers names.
      owns: { itself: `only from the zone ${zone} it is taken` },
      deadlineMs: DEADLINE_MS,
    },
  ];
}

/** Of a network that runs: what firewalld has forgotten. */
export function lostZone(network: DefinedNetwork, zones: Zones): string | undefined {
  if (zoneSteps(network, zones).length === 0) return undefined;
  const { name, zone = usualZone(network, zones) } = network.bridge;
  return `${name} is not in its zone ${zone} any more, which "firewall-cmd --reload" forgets`;
}

/** `firewall-cmd --list-all-zones`: "public (active)" and, further in, "  interfaces: eth0 eth1". */
export function parseZones(text: string): Zones {
  const zones: string[] = [];
  const zoneOf: Record<string, string> = {};
  for (const line of text.split('\n')) {
    const [, zone] = /^([\w-]+)(?: \(.*\))?$/.exec(line) ?? [];
    if (zone !== undefined) zones.push(zone);
    const [, list = ''] = /^ +interfaces: *(.*)$/.exec(line) ?? [];
    const last = zones.at(-1);
    if (last !== undefined) for (const name of list.split(/\s+/).filter(Boolean)) zoneOf[name] = last;
  }
  return { zones, zoneOf };
}
