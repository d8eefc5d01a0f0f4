/** What runs: without the XML library, so that a VM's start and `list` are quick. */
import { readFacts } from '../../host/facts.ts';
import { dnsmasqPid, ensureDnsmasq } from '../../host/nat/dnsmasq.ts';
import { type NatPlaces, readStatuses } from '../../host/nat/places.ts';
import type { Host } from '../../host/port.ts';
import { type HostFacts, linkNamed } from '../../plan/facts.ts';
import type { NatStatus } from '../../plan/nat/start.ts';
import { isMarkOf } from '../../plan/owner.ts';

export interface ActiveNetwork extends NatStatus {
  /** undefined: it needs none, or it was killed. */
  readonly dnsmasqPid?: number;
  /** Its bridge's own. */
  readonly mac?: string;
  /** What is plugged into the bridge. */
  readonly ports: readonly string[];
}

/** Whose bridge is there, and ours; or the host's, where that was asked for. */
export function activeNetworks(places: NatPlaces, facts: HostFacts): readonly ActiveNetwork[] {
  return readStatuses(places)
    .filter(({ name, bridge, mode }) => {
      const link = linkNamed(facts, bridge);
      return mode === 'bridge' ? link?.kind === 'bridge' : isMarkOf(link?.ifalias, { net: name });
    })
    .map((status) => {
      const pid = status.dnsmasq ? dnsmasqPid(places.paths(status.name)) : undefined;
      const mac = linkNamed(facts, status.bridge)?.address;
      const ports = facts.links.filter(({ master }) => master === status.bridge);
      return {
        ...status,
        ports: ports.map(({ ifname }) => ifname),
        ...(mac === undefined ? {} : { mac }),
        ...(pid === undefined ? {} : { dnsmasqPid: pid }),
      };
    });
}

export async function lookAtNetworks(
  engine: { readonly machine: Host },
  places: NatPlaces,
): Promise<readonly ActiveNetwork[]> {
  return activeNetworks(places, await readFacts(engine.machine));
}

export const needsMending = ({ dnsmasq, dnsmasqPid: pid }: ActiveNetwork): boolean =>
  dnsmasq && pid === undefined;

/** Starts what somebody killed. Root only. Gives what to tell. */
export async function mend(
  places: NatPlaces,
  networks: readonly ActiveNetwork[],
): Promise<readonly string[]> {
  const said: string[] = [];
  for (const { name } of networks.filter(needsMending))
    if (await ensureDnsmasq(name, places.paths(name), places.lock(name)))
      said.push(`network ${name}: its dnsmasq had ended and is started again`);
  return said;
}
