import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { fromRunner } from './env.ts';

/** Absolute path of the built guest (qcow2, scripts/guest). Shared by all tests: boot it read-only or from an overlay. */
function guestImage(): string {
  return fromRunner('QLAUNCH_TEST_GUEST');
}

/** The guest's other forms, built with it: kernel and initramfs for direct boot, a CD that installs on a blank disk. */
export function guestFile(name: 'vmlinuz' | 'initrd' | 'guest.iso'): string {
  return join(dirname(guestImage()), name);
}

/** A directory of the running test's own, removed when the test ends. */
export function scratchDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'qlaunch-test-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** A private writable copy of the guest: a qcow2 overlay whose backing file is the shared image. */
export function guestOverlay(dir: string, name = 'guest.qcow2'): string {
  const overlay = join(dir, name);
  execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', '-F', 'qcow2', '-b', guestImage(), overlay]);
  return overlay;
}

/** The same as a file that depends on no other: qlaunch follows a backing file elsewhere only when it is allowed by name. */
export function guestCopy(dir: string, name = 'guest.qcow2'): string {
  const copy = join(dir, name);
  copyFileSync(guestImage(), copy);
  return copy;
}
