/** Addresses that running VMs of ours were promised: one file per NIC in the network's `hosts`. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Holder } from '../../plan/nat/address.ts';
import { readText } from '../vm/store.ts';

export function readReservations(directory: string): readonly Holder[] {
  return listed(directory).flatMap((name) => {
    const [mac, address] = (readText(join(directory, name)) ?? '').trim().split(',');
    return mac === undefined || address === undefined ? [] : [{ mac, address }];
  });
}

function listed(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
