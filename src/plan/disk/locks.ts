/**
 * QEMU's image locks as /proc/locks shows them. A QEMU that uses an image holds shared open-file-description locks
 * on single bytes: 100+n "I use permission n", 200+n "I let nobody else have it"; n = 1 is writing.
 * Source: qemu/block/file-posix.c (RAW_LOCK_PERM_BASE, RAW_LOCK_SHARED_BASE), proc(5).
 */

const USES_WRITE = 101;
const FORBIDS_WRITE = 201;

export interface ImageLock {
  /** "major:minor" as in /proc/locks, hexadecimal. Differs from stat(2) on btrfs and overlayfs. */
  readonly device: string;
  /** Another QEMU writes to it, or forbids that we do. */
  readonly held: 'writes' | 'forbids-writing';
}

/** Foreign locks on this inode that are in the way of a QEMU that wants to write (or only read); writers come first. */
export function conflictingLocks(procLocks: string, inode: number, weWrite: boolean): ImageLock[] {
  // 2: OFDLCK ADVISORY  READ -1 fd:00:2170903 101 101
  const line = /^\d+: OFDLCK\s+\S+\s+\S+\s+\S+\s+([0-9a-f]+:[0-9a-f]+):(\d+)\s+(\d+)\s+(\d+|EOF)$/gm;
  const found: ImageLock[] = [];
  for (const [, device = '', number, first, last] of procLocks.matchAll(line)) {
    if (Number(number) !== inode) continue;
    const covers = (byte: number): boolean =>
      Number(first) <= byte && (last === 'EOF' || byte <= Number(last));
    if (covers(USES_WRITE)) found.push({ device, held: 'writes' });
    else if (weWrite && covers(FORBIDS_WRITE)) found.push({ device, held: 'forbids-writing' });
  }
  // A writer forbids others as well, and the kernel lists the two in any order.
  return found.sort((a, b) => Number(b.held === 'writes') - Number(a.held === 'writes'));
}
