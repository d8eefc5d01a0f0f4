/** A port as the kernel has it now, beside what it had when it was made. */
import type { LinkFact } from '../facts.ts';
import type { KnownPort } from './known-port.ts';

/** Of one row of `bridge vlan show`. */
export interface LiveVlan {
  readonly from: number;
  readonly to: number;
  /** Untagged both ways. */
  readonly isOwn: boolean;
}

export interface LivePort {
  readonly isolated: boolean;
  readonly vlans: readonly LiveVlan[];
}

/**
 * What keeps its guest from others and is not there any more, in words: "is not isolated". undefined: all is. VLANs that
 * somebody gave it besides are their business, but for the bridge's default one.
 */
export function lostSetting(
  { isolated, vlan, trunk = [] }: KnownPort,
  live: LivePort,
  bridge: LinkFact,
): string | undefined {
  if (isolated === true && !live.isolated) return 'is not isolated';
  if (vlan === undefined && trunk.length === 0) return undefined;
  const covers = (id: number, { from, to }: { from: number; to: number }): boolean => from <= id && id <= to;
  const at = (id: number): LiveVlan | undefined => live.vlans.find((one) => covers(id, one));
  if (vlan !== undefined && at(vlan)?.isOwn !== true) return `is not in VLAN ${vlan}`;
  for (const { from, to } of trunk)
    for (let id = from; id <= to; id += 1) if (at(id) === undefined) return `has lost VLAN ${id}`;
  const given = bridge.bridge?.defaultPvid ?? 1;
  const isWanted = given === vlan || trunk.some((range) => covers(given, range));
  return given === 0 || isWanted || at(given) === undefined ? undefined : `is in VLAN ${given} as well`;
}
