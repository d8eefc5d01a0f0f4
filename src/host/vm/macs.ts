/** The MAC of each NIC as first used, so that a moved image or a changed derivation never changes a guest's NIC. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { readText, writeWhole } from './store.ts';

/** Identity (canonical image or profile path) → NIC id → MAC. */
export type MacTable = Readonly<Record<string, Readonly<Record<string, string>>>>;

const FILE = 'macs.json';

export function readMacs(state: string): MacTable {
  try {
    return JSON.parse(readText(join(state, FILE)) ?? '{}') as MacTable;
  } catch {
    // A damaged table costs only the memory of MACs: they are derived again, to the same values.
    return {};
  }
}

export function writeMacs(state: string, macs: MacTable): void {
  mkdirSync(state, { recursive: true, mode: 0o700 });
  writeWhole(join(state, FILE), `${JSON.stringify(macs, null, 1)}\n`);
}

/** machine-id(5): 32 hex digits. A machine without one (a bare chroot) gets MACs that differ per user only. */
export function machineId(): string {
  return (readText('/etc/machine-id') ?? '').trim();
}
