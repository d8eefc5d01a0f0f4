/** qemu-ifdown: the tap is about to go away with QEMU, or is gone; until then it leaves the bridge. */
import { EXIT, QlaunchError } from '../../errors.ts';
import { mayChangeLinks } from '../../host/hook/rights.ts';
import type { Engine } from '../engine.ts';
import { plugIds, plugTitle } from './records.ts';
import { takeBack } from './take-back.ts';

/**
 * What no qemu-ifup of ours did is not ours to undo. Throws QL_LEFTOVERS (exit 6). The result is a remark, if any.
 */
export async function unplug(engine: Engine, ifname: string): Promise<string | undefined> {
  // -run-with user=: QEMU has given up the rights that the journal was written with.
  if (!mayChangeLinks())
    return `no right to change ${ifname} any more; it goes away with QEMU, its record with: sudo qlaunch recover`;
  if (plugIds(engine, ifname).length === 0) return undefined;
  const left = await engine.locked(`qemu-ifdown ${ifname}`, () => takeBack(engine, ifname, 'all'));
  if (left.length === 0) return undefined;
  throw new QlaunchError('QL_LEFTOVERS', left.some(({ stuck }) => stuck) ? EXIT.stuck : EXIT.leftovers, {
    what: `could not take back all of "${plugTitle(ifname)}"`,
    why: left.map(({ title, why }) => `${title}: ${why}`),
    todo: [...left.map(({ byHand }) => byHand), 'qlaunch recover'],
  });
}
