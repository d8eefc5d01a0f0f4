/** The record of a VM that runs is brought up to date. */
import { lstatSync } from 'node:fs';
import { readRecord, type VmRecord, writeRecord } from './store.ts';
import { asOwner } from './user.ts';

/** With the rights of its user, whose directory it is. Under the VM's command lock. */
export function rewriteRecord(dir: string, change: (record: VmRecord) => VmRecord): void {
  asOwner(lstatSync(dir), () => {
    const record = readRecord(dir);
    if (record !== undefined) writeRecord(dir, change(record));
  });
}
