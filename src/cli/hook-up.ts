/** qemu-ifup */
import { plug } from '../run/hook/plug.ts';
import { runHook } from './hook.ts';

const USAGE = `usage: qemu-ifup IFNAME [--dry-run]
Makes the tap a port of a bridge and brings it up; QEMU calls it as script=. The bridge is $QLAUNCH_BRIDGE, else what
qlaunch left for this interface, else what ifup.ini says, else the one that carries the default route.`;

export function ifup(argv: readonly string[]): Promise<void> {
  return runHook(argv, USAGE, async ({ engine, dryRun, ...call }) => {
    const asked = process.env['QLAUNCH_BRIDGE'];
    const wish = { ...call, ...(asked === undefined ? {} : { asked }) };
    if (dryRun) return (await import('../run/hook/dry-run.ts')).dryPlug(engine, wish);
    await plug(engine, wish);
    return undefined;
  });
}
