/** Rules of iptables-legacy, which are in no ruleset of nft's, and decide as well what passes. */
import { savedTable } from '../nat/chains.ts';

/** Of our own, where nft is missing (nat/iptables.ts). */
const OURS = /(^-A | -j )(ql-[0-9a-f]{12}|qlaunch_fwd_[0-9a-f]{12})-/;

/** Whether they have a say at all. @param saved `iptables-legacy-save` */
export function hasSay(saved: string): boolean {
  return savedTable(saved, 'filter')
    .split('\n')
    .some((line) => /^:\S+ DROP /.test(line) || (line.startsWith('-A ') && !OURS.test(line)));
}

export const legacyFact = (program: string): string =>
  `${program} has rules of its own, which are not looked at: they may drop what guests need`;

export const legacyCure = (program: string): string => `sudo ${program} -S   # look at FORWARD and INPUT`;
