/** firewalld's zone of a bridge, for as long as the network runs. */
import { type Argv, DEADLINE_MS, type Step } from '../step.ts';

/** As firewalld has them at run time. */
export interface Zones {
  readonly zones: readonly string[];
  /** By the name of an interface. */
  readonly zoneOf?: Readonly<Record<string, string>>;
}

/** Every firewalld has it, and it lets guests reach all of this host. */
const TRUSTED = 'trusted';

/** libvirt's zone, where it is installed, is made for this. */
const usualZone = ({ zones }: Zones): string => (zones.includes('libvirt') ? 'libvirt' : TRUSTED);

/** Whether this host's own services have to be guarded by us: a zone that the definition names is its author's choice. */
export const isOurTrust = (wanted: string | undefined, zones: Zones): boolean =>
  wanted === undefined && zones.zones.length > 0 && usualZone(zones) === TRUSTED;

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
export function zoneSteps(bridge: string, wanted: string | undefined, zones: Zones): readonly Step[] {
  const zone = wanted ?? usualZone(zones);
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
