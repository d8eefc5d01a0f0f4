/** Whether a guest would be heard: asked from a namespace on the network's bridge, and only of its gateway. */
import { randomBytes } from 'node:crypto';
import { readLeaseFile } from '../../host/nat/leases.ts';
import type { NatPlaces } from '../../host/nat/places.ts';
import { startProber } from '../../host/nat/probe.ts';
import { readReservations } from '../../host/nat/reservations.ts';
import { guestAddress } from '../../plan/nat/address.ts';
import type { NetFinding } from '../../plan/nat/check.ts';
import { type ProbeAnswer, type ProbeOrder, planProbe } from '../../plan/nat/probe.ts';
import { apply } from '../apply.ts';
import type { Engine } from '../engine.ts';
import { undoChange } from '../recover.ts';
import type { ActiveNetwork } from './state.ts';

const LINK = 'probe0';
/** A port of a bridge with STP is silent for four seconds. */
const TIMEOUT_MS = 8_000;
const END_MS = 20_000;

/** undefined: there is nothing that it could ask for. */
export async function probeNetwork(
  engine: Engine,
  places: NatPlaces,
  network: ActiveNetwork,
): Promise<NetFinding | undefined> {
  const { name, bridge, dhcp } = network;
  if (dhcp === undefined || network.dnsmasqPid === undefined) return undefined;
  const paths = places.paths(name);
  const mac = `02:71:6c:${randomBytes(3)
    .toString('hex')
    .replace(/(..)(..)(..)/, '$1:$2:$3')}`;
  const leases = readLeaseFile(paths.leases).flatMap(({ mac: of, address }) =>
    of === undefined ? [] : [{ mac: of, address }],
  );
  const free = guestAddress(mac, dhcp, [...readReservations(paths.hosts), ...leases]);
  const order: ProbeOrder = {
    ...{ link: LINK, gateway: dhcp.gateway, dhcp: true, timeoutMs: TIMEOUT_MS },
    ...(typeof free !== 'string' || network.nameServers !== undefined
      ? {}
      : { address: `${free}/${dhcp.subnet.split('/')[1]}` }),
  };
  const prober = await startProber(order);
  if (prober === undefined) return finding(network, undefined);
  const late = setTimeout(() => prober.end(), END_MS);
  try {
    const { pid } = prober;
    const title = `net probe ${name}`;
    // Nobody keeps it: what is left by a kill is taken back by the next recover.
    const { head } = await apply(engine, { title, lifetime: { net: name } }, (facts) =>
      planProbe(name, bridge, LINK, pid, facts),
    );
    const answer = await prober.answer;
    await undoChange(engine, head.id);
    return finding(network, answer);
  } finally {
    clearTimeout(late);
    prober.end();
  }
}

function finding({ name, bridge, dhcp }: ActiveNetwork, answer: ProbeAnswer | undefined): NetFinding {
  const about = { id: 'net-probe', about: name } as const;
  if (answer === undefined)
    return { ...about, state: 'warning', fact: `whether a guest on ${bridge} is heard could not be tried` };
  const silent = [
    ...(answer.dhcp === false ? ['DHCP (UDP port 67)'] : []),
    ...(answer.dns === false ? ['DNS (UDP port 53)'] : []),
  ];
  if (silent.length === 0)
    return { ...about, state: 'ok', fact: `a guest on ${bridge} is answered by ${dhcp?.gateway}` };
  return {
    ...about,
    state: 'problem',
    fact: `a guest on ${bridge} gets no answer from ${dhcp?.gateway} to ${silent.join(' and ')}`,
    cure: [
      'sudo nft list ruleset   # what drops at the hooks input and output, or at a bridge',
      `sudo tc filter show dev ${bridge} ingress; sudo nft list tables bridge`,
    ],
  };
}
