/** What a network asks of others on this host: a zone of firewalld, names in systemd-resolved. */
import { EXIT, QlaunchError } from '../../errors.ts';
import { formatIp } from '../../spec/ip.ts';
import { DEADLINE_MS, type Step } from '../step.ts';
import type { DefinedNetwork } from './defined.ts';
import type { NatFacts } from './facts.ts';

/** Throws QL_NET_ZONE (exit 3) where firewalld runs and has no such zone. Where it does not run, that is a note. */
export function checkZone({ name, bridge: { zone } }: DefinedNetwork, { firewall }: NatFacts): void {
  const zones = firewall?.zones ?? [];
  if (zone === undefined || zones.length === 0 || zones.includes(zone)) return;
  throw new QlaunchError('QL_NET_ZONE', EXIT.refused, {
    what: `the network ${name} belongs into firewalld's zone ${zone}, which there is not`,
    why: [`there are ${zones.join(', ')}`],
    todo: [`sudo firewall-cmd --permanent --new-zone=${zone} && sudo firewall-cmd --reload`],
  });
}

export function neighbourNotes({ name, bridge, domain }: DefinedNetwork, facts: NatFacts): readonly string[] {
  const zoneless = bridge.zone !== undefined && (facts.firewall?.zones ?? []).length === 0;
  const nameless = domain?.register === true && facts.resolved !== true;
  return [
    ...(zoneless
      ? [`the network ${name} is in no zone: firewalld, which would have ${bridge.zone}, does not run`]
      : []),
    ...(nameless
      ? [`names of the network ${name} are not known to this host: systemd-resolved does not run`]
      : []),
  ];
}

/**
 * Only names below the domain go to the network (resolvectl(1), "~"), and dnsmasq, which may ask systemd-resolved for all
 * else, never asks back for them (`local=`): no question goes round in a circle.
 */
export function registerSteps(
  { bridge, domain, dns, ips }: DefinedNetwork,
  facts: NatFacts,
): readonly Step[] {
  if (domain?.register !== true || facts.resolved !== true || !dns || ips.length === 0) return [];
  const step = (title: string, ...words: string[]): Step => ({
    title,
    do: { run: ['resolvectl', ...words] },
    undo: { nothing: `goes away with ${bridge.name}` },
    deadlineMs: DEADLINE_MS,
  });
  const servers = ips.map(({ address }) => formatIp(address));
  return [
    step(`let this host ask the network for names`, 'dns', bridge.name, ...servers),
    step(`ask it for those below ${domain.name} only`, 'domain', bridge.name, `~${domain.name}`),
    step('ask it for no others', 'default-route', bridge.name, 'no'),
  ];
}
