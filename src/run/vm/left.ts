/** What was to be taken back with a VM, and was not: told to whoever ended it. */
import { EXIT, QlaunchError } from '../../errors.ts';
import type { VmRecord } from '../../host/vm/store.ts';
import { renderLifetime } from '../../plan/lifetime.ts';
import type { Engine } from '../engine.ts';
import { loadChanges } from '../journal/load.ts';
import type { Recovered } from '../recover.ts';

/** Tells a VM from every other one on the host: several users may have a `web`. */
export const vmLabel = (uid: number, name: string): string => (uid === 0 ? name : `${uid}/${name}`);

export interface LeftOver {
  /** The change's. */
  readonly id: string;
  readonly title: string;
}

/** Of a VM that has ended, after its guard has. What a QEMU that lives still holds is no left-over. */
export function leftBy({ uid, name }: VmRecord, { stores, world }: Engine): readonly LeftOver[] {
  const whose = renderLifetime({ vm: vmLabel(uid, name) });
  return loadChanges(stores, world).flatMap(({ id, journal }) => {
    const holder = journal?.head.holder ?? null;
    if (journal === undefined || renderLifetime(journal.head.lifetime) !== whose) return [];
    if (holder === null || holder === 'until-undone' || world.alive(holder) !== 'dead') return [];
    const open = journal.open.filter(({ undo }) => !('nothing' in undo));
    return open.length === 0 ? [{ id, title: journal.head.title }] : open.map(({ title }) => ({ id, title }));
  });
}

/** The failure of a start, and what could not be taken back after it. */
export function withLeft(error: unknown, { left, said, exit }: Recovered): unknown {
  if (left.length === 0) return error;
  const known = error instanceof QlaunchError ? error : undefined;
  const text = {
    what: error instanceof Error ? error.message : String(error),
    why: [...(known?.why ?? []), ...said, ...leftText(left)],
    todo: [...left.map(({ byHand }) => byHand), RECOVER, ...(known?.todo ?? [])],
  };
  return new QlaunchError('QL_LEFTOVERS', exit, text, { cause: error });
}

/** What an earlier start left is in the way of this one. Throws QL_LEFTOVERS (exit 6; 5 where it is stuck). */
export function refuseLeft({ left, said, exit }: Recovered, whose: string): void {
  if (left.length === 0) return;
  throw new QlaunchError('QL_LEFTOVERS', exit === EXIT.ok ? EXIT.leftovers : exit, {
    what: `what an earlier start of ${whose} left could not be taken back`,
    why: [...said, ...leftText(left)],
    todo: [...left.map(({ byHand }) => byHand), RECOVER],
  });
}

const RECOVER = 'sudo qlaunch recover';

const leftText = (left: Recovered['left']): readonly string[] =>
  left.map(({ title, why }) => `left over: "${title}" was not taken back: ${why}`);
