/** The move is proven from the bridge's side, or taken back at once: a ping right after would be answered either way. */
import { setTimeout as sleep } from 'node:timers/promises';
import { answers, answersDns, linkTo, nameServers } from '../../host/bridge/reach.ts';
import { processesNaming } from '../../host/bridge/users.ts';
import type { Machine } from '../../host/port.ts';
import { usesLink } from '../../plan/bridge/route.ts';
import type { UplinkFacts } from '../../plan/bridge/uplink.ts';

const ANSWER_MS = 3_000;
const DNS_MS = 3_000;

export interface Before {
  /** Those that answered over the NIC: only they have to answer over the bridge. */
  readonly gateways: readonly string[];
  /** Name servers that answered, the way to which leads over the NIC. */
  readonly dns: readonly string[];
  /** The other end of the SSH session, when its way leads over the NIC. */
  readonly peer?: string;
  /** … and when it leads over another link, which it is to go on doing. */
  readonly elsewhere?: { readonly peer: string; readonly link: string };
}

export async function lookBefore(
  machine: Machine,
  facts: UplinkFacts,
  peer: string | undefined,
): Promise<Before> {
  const found: string[] = [];
  for (const gateway of gatewaysOf(facts))
    if (await answers(machine, gateway, facts.link, ANSWER_MS)) found.push(gateway);
  const dns: string[] = [];
  const perLink = facts.resolved.flatMap(({ verb, values }) => (verb === 'dns' ? values : []));
  for (const server of new Set([
    ...(await nameServers(machine)),
    ...perLink.filter((one) => !one.includes('%')),
  ]))
    if ((await linkTo(machine, server)) === facts.link && (await answersDns(server, DNS_MS)))
      dns.push(server);
  return { gateways: found, dns, ...(await wayTo(machine, peer, facts.link)) };
}

async function wayTo(
  machine: Machine,
  peer: string | undefined,
  nic: string,
): Promise<Pick<Before, 'peer' | 'elsewhere'>> {
  const link = peer === undefined ? undefined : await linkTo(machine, peer);
  if (peer === undefined || link === undefined) return {};
  return link === nic ? { peer } : { elsewhere: { peer, link } };
}

/** Of the default routes over this link. */
function gatewaysOf(facts: UplinkFacts): readonly string[] {
  const defaults = facts.routes.filter(
    (route) => route.row['dst'] === 'default' && usesLink(route, facts.link),
  );
  return [
    ...new Set(defaults.flatMap(({ row }) => (typeof row['gateway'] === 'string' ? [row['gateway']] : []))),
  ];
}

/** What is wrong now; empty: proven. */
export async function disproof(
  machine: Machine,
  before: Before,
  bridge: string,
  nic: string,
): Promise<readonly string[]> {
  const wrong: string[] = [];
  if (!(await forwards(machine, bridge, nic))) wrong.push(`the port ${nic} of ${bridge} does not forward`);
  for (const gateway of before.gateways)
    if (!(await answers(machine, gateway, bridge, ANSWER_MS)))
      wrong.push(`the gateway ${gateway} does not answer over ${bridge}`);
  for (const server of before.dns)
    if (!(await answersDns(server, DNS_MS))) wrong.push(`the name server ${server} does not answer any more`);
  const { peer, link } = before.elsewhere ?? { peer: before.peer, link: bridge };
  const way = peer === undefined ? link : await linkTo(machine, peer);
  if (way !== link) wrong.push(`the way to your session (${peer}) leads over ${way ?? 'nothing'}`);
  return wrong;
}

/** With STP a port listens and learns first; without, it forwards as soon as it has a carrier. */
async function forwards(machine: Machine, bridge: string, nic: string): Promise<boolean> {
  const stp = (await machine.run(['ip', '-d', 'link', 'show', 'dev', bridge])).stdout;
  const delayS = Number(/forward_delay (\d+)/.exec(stp)?.[1] ?? 0) / 100;
  const waitMs = / stp_state 1 /.test(stp) ? 2_000 * delayS + 4_000 : 2_000;
  for (let waitedMs = 0; waitedMs <= waitMs; waitedMs += 50) {
    const { stdout } = await machine.run(['ip', '-d', 'link', 'show', 'dev', nic]);
    if (/ bridge_slave state forwarding /.test(stdout)) return true;
    await sleep(50);
  }
  return false;
}

/** Without its client an address that was leased would vanish hours later. Each says so within moments, or has failed. */
export async function clientsMissing(
  programs: readonly string[],
  bridge: string,
): Promise<readonly string[]> {
  const missing = (): readonly string[] => {
    const there = processesNaming(bridge).map(({ program }) => program);
    return programs.filter((program) => !there.includes(program));
  };
  for (let waitedMs = 0; waitedMs < 1_000 && missing().length > 0; waitedMs += 50) await sleep(50);
  return missing().map((program) => `${program} does not run on ${bridge}`);
}

const LEASE_MS = 15_000;

/** Of a client that asks anew. */
export async function leaseMissing(machine: Machine, bridge: string): Promise<readonly string[]> {
  const until = performance.now() + LEASE_MS;
  while (performance.now() < until) {
    const { stdout } = await machine.run([
      'ip',
      '-4',
      '-o',
      'address',
      'show',
      'dev',
      bridge,
      'scope',
      'global',
    ]);
    if (stdout !== '') return [];
    await sleep(100);
  }
  return [`no DHCP server gave ${bridge} an address in ${LEASE_MS / 1000} s`];
}
