/** What a network does for one guest for as long as it runs: an address that is known, a name, forwards to it. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Forward } from '../../spec/forward.ts';
import { putFile } from '../files.ts';
import { DEADLINE_MS, type FilePath, type Step } from '../step.ts';
import { type OwnChain, restoreStep } from './chains.ts';
import { type DnsmasqPaths, reloadDnsmasqArgv } from './dnsmasq.ts';
import { ANY, isFromLoopback, LOOPBACK, localnetStep } from './localnet.ts';

export interface GuestPort {
  /** Its tap, which no other guest of this host has. */
  readonly tap: string;
  readonly mac: string;
  readonly address: string;
  readonly hostname?: string;
  readonly forwards: readonly Forward[];
  readonly bridge: string;
  /** The bridge's own; undefined: it is not there yet. */
  readonly bridgeMac?: string;
  /** "192.168.122.0/24" */
  readonly subnet: string;
  /** nft is missing, and iptables takes its place. */
  readonly iptables?: true;
}

export function guestSteps(guest: GuestPort, paths: DnsmasqPaths, mark: string): readonly Step[] {
  const file = join(paths.hosts, hashOf(guest.tap)) as FilePath;
  const words = [guest.mac, guest.address, ...(guest.hostname === undefined ? [] : [guest.hostname])];
  const reload = reloadDnsmasqArgv(paths);
  const about = `that ${guest.mac} gets ${guest.address}`;
  return [
    // Undone after the file is gone: what was read from it stays until dnsmasq is told (dnsmasq(8), dhcp-hostsdir).
    {
      title: `let dnsmasq forget at the end ${about}`,
      do: { run: ['true'] },
      undo: { run: reload, gone: [] },
      deadlineMs: DEADLINE_MS,
    },
    putFile({ path: file, content: `${words.join(',')}\n` }),
    {
      title: `tell dnsmasq ${about}`,
      do: { run: reload },
      undo: { nothing: 'it forgets when the file is gone' },
      deadlineMs: DEADLINE_MS,
    },
    ...guest.forwards.flatMap((forward) => forwardSteps(guest, forward, mark)),
  ];
}

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 12);

/** One table per forward, so that each comes and goes by itself. "inet qlaunch_fwd_0123456789ab" */
export const forwardTable = (
  tap: string,
  { proto, address, hostPort }: Pick<Forward, 'proto' | 'address' | 'hostPort'>,
): string => `inet qlaunch_fwd_${hashOf(`${tap} ${proto}:${address}:${hostPort}`)}`;

/** The forward that a step is of, by its table: for taking it back alone. By its undo, which ends with the name. */
export function forwardOf({ undo }: { readonly undo: object }): string | undefined {
  const last: unknown = 'run' in undo && Array.isArray(undo.run) ? undo.run.at(-1) : undefined;
  const [, name] = (typeof last === 'string' && /^(?:inet )?(qlaunch_fwd_[0-9a-f]+)$/.exec(last)) || [];
  return name === undefined ? undefined : `inet ${name}`;
}

/** The forward, and the way for answers to this host's own loopback. */
export function forwardSteps(
  guest: Omit<GuestPort, 'forwards'>,
  forward: Forward,
  mark: string,
): readonly Step[] {
  const { bridge, bridgeMac, tap } = guest;
  return [
    guest.iptables === true ? forwardChains(guest, forward, mark) : forwardStep(guest, forward, mark),
    ...(isFromLoopback(forward) ? [localnetStep(bridge, bridgeMac, forwardTable(tap, forward))] : []),
  ];
}

/**
 * Whoever is on the same wire can send us a packet for 127.0.0.1. A translated one is past the kernel's check of such
 * addresses (moby's issue 41872), and this host's own connections come by another hook.
 */
const NOT_LOOPBACK = `ip daddr != ${LOOPBACK} `;

function forwardStep(guest: Omit<GuestPort, 'forwards'>, forward: Forward, mark: string): Step {
  const { address, bridge, subnet, tap } = guest;
  const { proto, address: at, hostPort, guestAddress = address, guestPort } = forward;
  const table = forwardTable(tap, forward);
  const back = isFromLoopback(forward) ? `{ ${subnet}, ${LOOPBACK} }` : subnet;
  // Of this host only: an address of somebody else would take this host's own connections to them.
  const daddr = at === ANY ? 'fib daddr type local' : `ip daddr ${at} fib daddr type local`;
  const rule = (where: string): string =>
    `meta nfproto ipv4 ${where}${daddr} ${proto} dport ${hostPort} counter dnat ip to ${guestAddress}:${guestPort}`;
  const lines = [
    `create table ${table} { comment "${mark}"; }`,
    ...(at.startsWith('127.')
      ? []
      : [
          `add chain ${table} in { type nat hook prerouting priority dstnat; policy accept; }`,
          `add rule ${table} in ${rule(at === ANY ? NOT_LOOPBACK : '')}`,
        ]),
    // From this host itself. nft has no word for dstnat's number at this hook.
    `add chain ${table} own { type nat hook output priority -100; policy accept; }`,
    `add rule ${table} own ${rule('')}`,
    // The guest must answer to the bridge: what came from its own network (hairpin), and what has no way back.
    `add chain ${table} back { type nat hook postrouting priority srcnat - 5; policy accept; }`,
    `add rule ${table} back oifname "${bridge}" ct status dnat ip saddr ${back} counter masquerade`,
  ];
  return {
    title: titleOf(forward, guestAddress),
    do: { run: ['nft', '-f', '-'], stdin: `${lines.join('\n')}\n` },
    undo: { run: ['nft', 'delete', 'table', ...table.split(' ')], gone: ['No such file or directory'] },
    owns: { nft: table, comment: mark },
    deadlineMs: DEADLINE_MS,
  };
}

const titleOf = ({ proto, address, hostPort, guestPort }: Forward, to: string): string =>
  `forward ${proto} ${address}:${hostPort} to ${to}:${guestPort}`;

/** The same as forwardStep() by iptables, whose name is that of the table without its family. */
function forwardChains(guest: Omit<GuestPort, 'forwards'>, forward: Forward, mark: string): Step {
  const { address, bridge, subnet, tap } = guest;
  const { proto, address: at, hostPort, guestAddress = address, guestPort } = forward;
  const rule = (where: string): string =>
    `${where}-p ${proto} -m addrtype --dst-type LOCAL --dport ${hostPort} -j DNAT --to-destination ${guestAddress}:${guestPort}`;
  const back = [subnet, ...(isFromLoopback(forward) ? [LOOPBACK] : [])];
  const chains: readonly Omit<OwnChain, 'table' | 'at'>[] = [
    {
      ...{ name: 'in', hook: 'PREROUTING' },
      rules: at.startsWith('127.') ? [] : [rule(at === ANY ? `! -d ${LOOPBACK} ` : `-d ${at} `)],
    },
    { name: 'own', hook: 'OUTPUT', rules: [rule(at === ANY ? '' : `-d ${at} `)] },
    {
      ...{ name: 'out', hook: 'POSTROUTING' },
      rules: back.map((from) => `-o ${bridge} -m conntrack --ctstate DNAT -s ${from} -j MASQUERADE`),
    },
  ];
  const prefix = forwardTable(tap, forward).replace('inet ', '');
  const all = chains.map((chain) => ({ ...chain, table: 'nat', at: 1 }) as const);
  return restoreStep(titleOf(forward, guestAddress), 4, prefix, all, mark);
}
