/**
 * `--bridge-nf`: what crosses a bridge meets the firewall's chains for routed packets where br_netfilter is loaded, and
 * there Docker, ufw and firewalld drop what they do not know (linux/net/bridge/br_netfilter_hooks.c).
 */
import { EXIT, QlaunchError } from '../../errors.ts';
import type { BridgeNf } from '../../spec/bridge/settings.ts';
import { makeDirectory, putFile } from '../files.ts';
import type { Packet } from '../firewall/match.ts';
import { DELETE_RULES, nftPlace, placeFor } from '../firewall/open.ts';
import type { Chain } from '../firewall/ruleset.ts';
import { dropsOf } from '../firewall/verdict.ts';
import { shellWord } from '../shell.ts';
import { DEADLINE_MS, type HostPath, type Step } from '../step.ts';
import { shareAttribute } from '../sysctl.ts';

export const CALLS = ['iptables', 'ip6tables', 'arptables'] as const;
type Call = (typeof CALLS)[number];

export const callPath = (call: Call): HostPath => `/proc/sys/net/bridge/bridge-nf-call-${call}`;

export interface FilterFacts {
  /** "1" or "0"; empty: br_netfilter is not loaded. */
  readonly calls: Readonly<Partial<Record<Call, string>>>;
  readonly chains: readonly Chain[];
  /** Who needs what crosses a bridge to meet its rules: "Docker (docker0)". */
  readonly users: readonly string[];
}

interface FilterWish {
  readonly name: string;
  readonly bridgeNf?: BridgeNf;
  /** Also after the next boot. */
  readonly persist: boolean;
}

/** Throws QL_BRIDGE_NF (exit 3). @param mark proves that a rule is ours */
export function filterSteps(
  { name, bridgeNf, persist }: FilterWish,
  facts: FilterFacts,
  mark: string,
): readonly Step[] {
  if (bridgeNf === 'off') return [...off(name, facts), ...(persist ? atBoot(name) : [])];
  return bridgeNf === 'accept' ? accept(name, facts, mark) : [];
}

function off(name: string, { calls, users }: FilterFacts): readonly Step[] {
  if (users.length > 0)
    throw new QlaunchError('QL_BRIDGE_NF', EXIT.refused, {
      what: 'will not keep bridged packets from the firewall',
      why: users.map((user) => `${user} needs it: without, its rules would not see what its bridges carry`),
      todo: [
        `sudo qlaunch bridge set ${shellWord(name)} --bridge-nf accept   # lets ${name} pass, and nothing else`,
      ],
    });
  // Also where it is so already: who leaves last puts it back.
  return CALLS.filter((call) => calls[call] !== undefined).map((call) =>
    shareAttribute(callPath(call), '0', `let bridges pass ${call} by`),
  );
}

/** The keys are there only once the module is (systemd-modules-load goes before systemd-sysctl). */
const atBoot = (name: string): readonly Step[] => [
  makeDirectory('/etc/modules-load.d'),
  makeDirectory('/etc/sysctl.d'),
  putFile({
    path: `/etc/modules-load.d/qlaunch-${name}.conf`,
    content: '# qlaunch: for the settings in /etc/sysctl.d.\nbr_netfilter\n',
  }),
  putFile({
    path: `/etc/sysctl.d/60-qlaunch-${name}.conf`,
    content: [
      `# qlaunch: bridges pass the firewall by. \`qlaunch bridge delete ${name}\` removes this file.`,
      ...CALLS.map((call) => `net.bridge.bridge-nf-call-${call} = 0`),
      '',
    ].join('\n'),
  }),
];

function accept(name: string, { calls, chains }: FilterFacts, mark: string): readonly Step[] {
  if (calls.iptables !== '1') return [];
  const packet: Packet = {
    ...{ iif: name, oif: name, proto: 'tcp', sport: 40_000, dport: 443, state: 'new' },
    ...{ saddr: '192.0.2.1', daddr: '192.0.2.2' },
  };
  return dropsOf(chains, 'forward', packet).map((drop) => {
    const { family, table } = drop.chain;
    const at = placeFor(drop, chains);
    const where = [family, table, at.chain] as const;
    const comment = `${mark}/bridged`;
    const rule = [`iifname`, `"${name}"`, 'oifname', `"${name}"`, 'counter', 'accept'];
    return {
      title: `let ${where.join(' ')} accept what crosses ${name}`,
      do: { run: [...nftPlace(family, table, at), ...rule, 'comment', `"${comment}"`] },
      undo: { run: ['/bin/sh', '-c', DELETE_RULES, 'delete-rules', ...where, comment], gone: [] },
      owns: { itself: `only rules with the comment ${comment} are deleted` },
      deadlineMs: DEADLINE_MS,
    };
  });
}
