/** Not for people: what `net check` runs in a namespace of its own. */
import { EXIT } from '../../errors.ts';
import { probeInside } from '../../host/nat/probe-inside.ts';
import type { ProbeOrder } from '../../plan/nat/probe.ts';
import { json } from '../terminal.ts';

export async function probe(order: string): Promise<number> {
  json(await probeInside(JSON.parse(order) as ProbeOrder));
  return EXIT.ok;
}
