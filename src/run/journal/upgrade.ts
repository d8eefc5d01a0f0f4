/** Older formats. An upgrade only respells: it never runs anything and never guesses. */
interface Raw {
  readonly head: Record<string, unknown>;
  readonly entries: Record<string, unknown>[];
}

export const UPGRADES: Readonly<Record<number, (old: Raw) => Raw>> = {
  /** 1: one text `okIf` where 2 has the list `gone`; no pid namespace; a journal was either vm's or until undone. */
  1: ({ head, entries }) => ({
    head: {
      ...head,
      v: 2,
      actor: inFirstPidns(head['actor']),
      holder: head['holder'] === 'until-undone' ? 'until-undone' : inFirstPidns(head['holder']),
    },
    entries: entries.map((entry) => ({ ...entry, undo: withGone(entry['undo']) })),
  }),
};

/** PROC_PID_INIT_INO, linux/proc_ns.h. */
const FIRST_PIDNS = 'pid:[4026531836]';

function inFirstPidns(process: unknown): unknown {
  return typeof process === 'object' && process !== null ? { ...process, pidns: FIRST_PIDNS } : process;
}

function withGone(undo: unknown): unknown {
  if (typeof undo !== 'object' || undo === null || !('run' in undo)) return undo;
  const { okIf, ...rest } = undo as Record<string, unknown>;
  return { ...rest, gone: okIf === undefined ? [] : [okIf] };
}
