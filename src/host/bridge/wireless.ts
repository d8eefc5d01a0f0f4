/** Whether a link is a radio. `ip` does not tell; /sys does, where it shows this network namespace. */
import type { HostFacts } from '../../plan/facts.ts';
import type { Machine } from '../port.ts';

/** The facts, with `wireless` at the link of this name. WWAN modems count: they carry no Ethernet of others either. */
export async function withRadio(machine: Machine, facts: HostFacts, name: string): Promise<HostFacts> {
  const link = facts.links.find(({ ifname }) => ifname === name);
  // A name is part of the path: what parseIfName() refuses is no link of ours.
  if (link === undefined || name.includes('/')) return facts;
  const at = `/sys/class/net/${name}`;
  if ((await machine.read(`${at}/ifindex`)) !== String(link.ifindex)) return facts;
  const type = /^DEVTYPE=(.*)$/m.exec((await machine.read(`${at}/uevent`)) ?? '')?.[1];
  const wireless = type === 'wlan' || type === 'wwan' || (await machine.stat(`${at}/phy80211`)) !== undefined;
  return { ...facts, links: facts.links.map((one) => (one === link ? { ...one, wireless } : one)) };
}
