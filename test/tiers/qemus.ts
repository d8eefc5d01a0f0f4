import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fromRunner } from './env.ts';

/** A QEMU that every vm test runs under. */
export interface TestQemu {
  readonly label: '7.2' | '10.x';
  /** Absolute path of a qemu-system-x86_64. */
  readonly binary: string;
}

/** Debian 12's own QEMU and the one from its backports, unpacked beside it (scripts/qemu10). */
export const qemus: readonly TestQemu[] = [
  { label: '7.2', binary: '/usr/bin/qemu-system-x86_64' },
  { label: '10.x', binary: fromRunner('QLAUNCH_TEST_QEMU10') },
];

/** For a test whose user may not enter the clone: the same QEMU at a place of the sandbox's own that is open to all. */
export function forEverybody(binary: string): string {
  if (binary.startsWith('/usr/')) return binary;
  const open = '/run/qemu';
  if (!existsSync(open)) {
    mkdirSync(open);
    execFileSync('mount', ['--bind', dirname(binary), open]);
  }
  return join(open, basename(binary));
}

/**
 * Each program of ours and each QEMU at least once. More shows no more: what QEMU is given is the same text by whichever
 * of our programs.
 */
export function underQemus<A>(programs: readonly A[]): readonly { ours: A; qemu: TestQemu }[] {
  return Array.from({ length: Math.max(programs.length, qemus.length) }, (_, index) => {
    const [ours, qemu] = [programs[index % programs.length], qemus[index % qemus.length]];
    if (ours === undefined || qemu === undefined) throw new TypeError('nothing to pair');
    return { ours, qemu };
  });
}
