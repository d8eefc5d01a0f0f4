/** Who a process is, when more than its effective uid counts: a program with a setuid bit runs for somebody else. */

export interface ProcessFacts {
  /** /proc/PID/status. */
  readonly status: string;
  /** What it runs, and that file's st_mode. */
  readonly exe: string;
  readonly mode: number;
}

const SETID_BITS = 0o6000;

/**
 * The uid for whom it runs. undefined: it is not clear. Of root only QEMU itself is taken for root's: sudo(8) is root in
 * all four ids while it still asks for the password, and other programs may have got their words from anybody.
 */
export function runsFor({ status, exe, mode }: ProcessFacts): number | undefined {
  // Real, effective, saved, of the file system (proc(5)).
  const ids = /^Uid:\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)$/m.exec(status)?.slice(1) ?? [];
  if (new Set(ids).size !== 1 || (mode & SETID_BITS) !== 0) return undefined;
  const uid = Number(ids[0]);
  return uid !== 0 || /\/[^/]*qemu-(system-|kvm)[^/]*$/.test(exe) ? uid : undefined;
}
