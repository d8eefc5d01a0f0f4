/** qemu-ifdown */
import { unplug } from '../run/hook/unplug.ts';
import { runHook } from './hook.ts';

const USAGE = `usage: qemu-ifdown IFNAME [--dry-run]
Takes back what qemu-ifup did to the tap; QEMU calls it as downscript=.`;

export function ifdown(argv: readonly string[]): Promise<void> {
  return runHook(argv, USAGE, async ({ ifname, engine, dryRun }) => {
    if (dryRun) return (await import('../run/hook/dry-run.ts')).dryUnplug(engine, ifname);
    return unplug(engine, ifname);
  });
}
