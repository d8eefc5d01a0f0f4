import { readFile } from 'node:fs/promises';

/**
 * All locks of the machine. Opening the list makes the kernel wait for an RCU grace period (8 ms seen), so it is read
 * beside other work, and once for all disks of a VM.
 */
export function readProcLocks(): Promise<string> {
  // Masked in some containers: QEMU itself then says what is locked.
  return readFile('/proc/locks', 'utf8').catch(() => '');
}
