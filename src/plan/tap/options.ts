/** What a port may do beyond being one. All of it sits on the tap and goes with it, but for one nft table. */
import { createHash } from 'node:crypto';
import { readIp } from '../../spec/ip.ts';
import { type HostFacts, linkNamed } from '../facts.ts';
import { type Argv, type BatchLine, DEADLINE_MS, type Step } from '../step.ts';
import type { TapWish } from './managed.ts';

/** After the tap is there, before QEMU opens it. */
export function portSteps(wish: TapWish, facts: HostFacts): readonly Step[] {
  const { name, rate } = wish;
  return [...vlanSteps(wish, facts), ...(rate?.toGuest === undefined ? [] : [shape(name, rate.toGuest)])];
}

/**
 * Before the tap is there, and so taken back after it: at no moment is there a port without its filter. `mark`: the
 * owner's, as in ownerMark().
 */
export function filterSteps(
  wish: Pick<TapWish, 'name' | 'rate' | 'antispoof' | 'guestMac'>,
  mark: string,
): readonly Step[] {
  const rules = ruleLines(wish);
  return rules.length === 0 ? [] : [filter(wish.name, rules, mark)];
}

/** Of a port that has none but the bridge's default so far. */
export function vlanSteps(
  { name, bridge, vlan, trunk = [] }: Pick<TapWish, 'name' | 'bridge' | 'vlan' | 'trunk'>,
  facts: HostFacts,
): readonly Step[] {
  if (bridge === undefined || (vlan === undefined && trunk.length === 0)) return [];
  const pvid = linkNamed(facts, bridge)?.bridge?.defaultPvid ?? 1;
  const line = (title: string, ...words: string[]): BatchLine => ({
    title,
    words: ['vlan', ...words] as unknown as Argv,
    undo: { nothing: `goes away with ${name}` },
  });
  const lines = [
    ...(pvid === 0 ? [] : [line(`take ${name} out of VLAN ${pvid}`, 'del', 'dev', name, 'vid', `${pvid}`)]),
    ...trunk.map(({ from, to }) => {
      const range = from === to ? `${from}` : `${from}-${to}`;
      return line(`give ${name} VLAN ${range} with its tag`, 'add', 'dev', name, 'vid', range);
    }),
    ...(vlan === undefined
      ? []
      : [line(`put ${name} into VLAN ${vlan}`, 'add', 'dev', name, 'vid', `${vlan}`, 'pvid', 'untagged')]),
  ];
  return [
    {
      title: `set the VLANs of ${name}`,
      do: { batch: 'bridge', lines },
      undo: { eachLine: true },
      deadlineMs: DEADLINE_MS,
    },
  ];
}

/** A token bucket holds at least what passes in 10 ms, or a timer tick would be lost (tc-tbf(8), "burst"). */
function shape(name: string, bitsPerSecond: number): Step {
  const burst = Math.max(32 * 1024, Math.ceil(bitsPerSecond / 8 / 100));
  const bucket = ['rate', `${bitsPerSecond}bit`, 'burst', `${burst}b`, 'latency', '50ms'];
  return {
    title: `let the guest behind ${name} receive ${inWords(bitsPerSecond)}`,
    do: { run: ['tc', 'qdisc', 'add', 'dev', name, 'root', 'tbf', ...bucket] },
    undo: { nothing: `goes away with ${name}` },
    deadlineMs: DEADLINE_MS,
  };
}

/** Frames that enter the bridge from this port; what none of these drops passes. */
function ruleLines({
  rate,
  antispoof,
  guestMac,
}: Pick<TapWish, 'rate' | 'antispoof' | 'guestMac'>): readonly string[] {
  const limit = rate?.fromGuest === undefined ? [] : [limitRule(rate.fromGuest)];
  return [...(antispoof === undefined ? [] : spoofRules(antispoof, guestMac)), ...limit];
}

/** In nft, because not every kernel has tc's police. Over the limit is dropped, and TCP takes the hint. */
function limitRule(fromGuest: number): string {
  const bytes = Math.ceil(fromGuest / 8);
  const burst = Math.max(32 * 1024, Math.ceil(bytes / 20));
  return `limit rate over ${bytes} bytes/second burst ${burst} bytes drop`;
}

/**
 * A guest is no DHCP server and no router. Without addresses it may have any, from its own MAC. 0.0.0.0 and :: ask for
 * one (RFC 2131; RFC 4862), link-local addresses are everybody's.
 */
function spoofRules(addresses: readonly string[], mac: string | undefined): readonly string[] {
  const of = (family: 4 | 6): string[] => addresses.filter((text) => readIp(text)?.family === family);
  const [v4, v6] = [
    ['0.0.0.0', ...of(4)],
    ['::', 'fe80::/10', ...of(6)],
  ];
  const bySource = [
    `arp saddr ip != { ${v4.join(', ')} } drop`,
    `ip saddr != { ${v4.join(', ')} } drop`,
    `ip6 saddr != { ${v6.join(', ')} } drop`,
  ];
  return [
    // The rules below look at untagged frames, and the guest has no business with tags.
    'ether type { vlan, 0x88a8 } drop',
    ...(mac === undefined ? [] : [`ether saddr != ${mac} drop`, `arp saddr ether != ${mac} drop`]),
    ...(addresses.length === 0 ? [] : bySource),
    'udp sport { 67, 547 } drop',
    'icmpv6 type { nd-router-advert, nd-redirect } drop',
  ];
}

/** "bridge qlaunch_0123456789ab" */
export const filterTable = (tap: string): string =>
  `bridge qlaunch_${createHash('sha256').update(tap).digest('hex').slice(0, 12)}`;

/**
 * `create` refuses a table that is there; it takes no chains (nft 1.0.6 drops them without a word), so these follow in
 * the same transaction. Before conntrack and everything else that looks at the bridge (NF_BR_PRI_FIRST).
 */
function filter(name: string, rules: readonly string[], mark: string): Step {
  const table = filterTable(name);
  const lines = [
    `create table ${table} { comment "${mark}"; }`,
    `table ${table} {`,
    '  chain from_guest {',
    '    type filter hook prerouting priority -300; policy accept;',
    `    iifname != ${JSON.stringify(name)} accept`,
    ...rules.map((rule) => `    ${rule}`),
    '  }',
    '}',
  ];
  return {
    title: `filter what comes from ${name}`,
    do: { run: ['nft', '-f', '-'], stdin: `${lines.join('\n')}\n` },
    undo: { run: ['nft', 'delete', 'table', ...table.split(' ')], gone: ['No such file or directory'] },
    owns: { nft: table, comment: mark },
    deadlineMs: DEADLINE_MS,
  };
}

function inWords(bitsPerSecond: number): string {
  const [divisor, unit] = bitsPerSecond >= 1e6 ? [1e6, 'Mbit/s'] : [1e3, 'kbit/s'];
  return `${Number((bitsPerSecond / divisor).toFixed(2))} ${unit}`;
}
