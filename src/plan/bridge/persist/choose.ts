/** Which network manager makes the bridge at boot: the one that has the NIC, and nobody else. */
import { BACK_ENDS, type BackEnd } from '../../../spec/bridge/back-end.ts';
import { cannotPersist } from './wish.ts';

/** That a manager has the NIC; without a NIC: that this host's links are its. */
export interface Claim {
  readonly backEnd: BackEnd;
  /** It runs and has it now; else its files say that it will at the next boot. */
  readonly live: boolean;
  /** "/etc/network/interfaces names eth0" */
  readonly why: string;
}

/** Throws QL_PERSIST (exit 3): nobody has it, or more than one. */
export function chooseBackEnd(bridge: string, uplink: string | undefined, claims: readonly Claim[]): BackEnd {
  const live = claims.filter((claim) => claim.live);
  const [only, ...more] = live.length > 0 ? live : claims;
  if (only !== undefined && more.length === 0) return only.backEnd;
  const choice = (names: readonly BackEnd[]): readonly string[] =>
    names.map((name) => `the same command with --persist=${name}`);
  if (only === undefined)
    throw cannotPersist(
      bridge,
      [`nothing that qlaunch can read brings ${uplink ?? 'links of this host'} up at boot`],
      [
        ...choice(BACK_ENDS),
        `sudo qlaunch bridge persist ${bridge} --persist=none   # prints what would make it, for your own script`,
      ],
    );
  throw cannotPersist(
    bridge,
    [
      `more than one network manager would bring ${uplink ?? 'it'} up at boot`,
      ...[only, ...more].map(({ why }) => why),
    ],
    live.length > 1
      ? [`take ${uplink ?? 'it'} out of what one of them reads, then the same command`]
      : choice([only, ...more].map(({ backEnd }) => backEnd)),
  );
}

/** Throws QL_PERSIST (exit 3): another one has the NIC now, would have it at boot, and nothing is taken out of its files. */
export function refuseOther(bridge: string, uplink: string, asked: BackEnd, claims: readonly Claim[]): void {
  const other = claims.find(({ backEnd, live }) => live && backEnd !== asked);
  if (other === undefined) return;
  throw cannotPersist(
    bridge,
    [`another network manager has ${uplink} now: ${other.why}`],
    [
      `the same command with --persist=${other.backEnd}`,
      `take ${uplink} out of what ${other.backEnd} reads, then the same command`,
    ],
  );
}
