/** `--net bridge:BR`: all that stands between QEMU's user and a port of the bridge, found before QEMU starts. */
import { type ChainWish, helperChain } from '../../host/acl/chain.ts';
import { chosenHelper } from '../../host/acl/helper.ts';
import type { Host } from '../../host/port.ts';
import type { Finding } from '../../host/qemu/finding.ts';
import type { Identity } from '../../host/vm/user.ts';
import { shellLine } from '../../plan/shell.ts';
import type { BridgeNet } from '../../spec/net-spec.ts';
import type { VmSpec } from '../../spec/vm-spec.ts';

export interface BridgeCheck {
  readonly findings: readonly Finding[];
  readonly notes: readonly string[];
}

export interface BridgeWish {
  readonly who: Identity;
  /** What QEMU's -help names. */
  readonly builtIn?: string;
}

/** One wish per bridge and helper: two NICs on one bridge are one question. */
export function bridgeWishes(spec: VmSpec, { who, builtIn }: BridgeWish): readonly ChainWish[] {
  const nets = spec.nets.filter((net): net is BridgeNet => net.mode === 'bridge');
  const known = builtIn === undefined ? {} : { builtIn };
  const wishes = nets.map(({ bridge, helper }): ChainWish => {
    const named = helper === undefined ? {} : { helper };
    return { user: who, bridge, ...named, ...known };
  });
  const keyOf = ({ bridge, helper }: ChainWish): string => `${bridge} ${helper ?? ''}`;
  return [...new Map(wishes.map((wish) => [keyOf(wish), wish])).values()];
}

/** Warnings become remarks; a problem is a refusal with its cures. */
export async function checkBridges(host: Host, wishes: readonly ChainWish[]): Promise<BridgeCheck> {
  const findings: Finding[] = [];
  const notes: string[] = [];
  for (const wish of wishes) {
    for (const { state, fact, cure = [], fix, id } of await helperChain(host, wish)) {
      const at = `--net bridge:${wish.bridge}`;
      if (state === 'warning') notes.push([`${at}: ${fact}`, ...cure].join('; try: '));
      if (state !== 'problem') continue;
      findings.push({
        code: codeOf(id),
        what: `${at}: ${fact}`,
        todo: fix === undefined ? cure : [...cure, ...doctor(wish)],
      });
    }
  }
  return { findings, notes };
}

/** It looks at the helper that qlaunch chooses, and cures no other. */
const doctor = (wish: ChainWish): readonly string[] =>
  chosenHelper(wish) === chosenHelper({})
    ? [shellLine(['sudo', 'qlaunch', 'acl', 'doctor', wish.bridge, '--fix'])]
    : [];

/** "helper-privilege" → QL_BRIDGE_HELPER_PRIVILEGE. */
const codeOf = (id: string): string => `QL_BRIDGE_${id.toUpperCase().replaceAll('-', '_')}`;
