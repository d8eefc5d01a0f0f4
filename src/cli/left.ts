/** After a VM has ended: what was not taken back with it. */
import { EXIT, type ExitStatus } from '../errors.ts';
import type { VmRecord } from '../host/vm/store.ts';
import type { Engine } from '../run/engine.ts';
import { leftBy } from '../run/vm/left.ts';
import { note } from './terminal.ts';

/** Exit status 6 when something is left. The engine is root's: nobody else can look at what root's start has made. */
export function tellLeft(record: VmRecord, engine: Engine): ExitStatus {
  const left = leftBy(record, engine);
  for (const { id, title } of left) note(`${record.name}: left over: "${title}" (change ${id})`);
  if (left.length === 0) return EXIT.ok;
  note('  try: sudo qlaunch recover');
  return EXIT.leftovers;
}
