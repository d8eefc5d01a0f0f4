/** The MAC of each NIC as first used, so that a moved image or a changed derivation never changes a guest's NIC. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { withLock } from '../flock.ts';
import { makePassage } from './dirs.ts';
import { readText, writeWhole } from './store.ts';

/** Identity (canonical image or profile path) → NIC id → MAC. */
export type MacTable = Readonly<Record<string, Readonly<Record<string, string>>>>;

const FILE = 'macs.json';
const LOCK = 'macs.lock';

export function readMacs(state: string): MacTable {
  try {
    const table: unknown = JSON.parse(readText(join(state, FILE)) ?? '{}');
    return isTable(table) ? table : {};
  } catch {
    // A damaged table costs only the memory of MACs: they are derived again, to the same values.
    return {};
  }
}

function isTable(value: unknown): value is MacTable {
  return isObject(value) && Object.values(value).every((row) => isObject(row) && isTexts(row));
}

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isTexts = (row: object): boolean => Object.values(row).every((mac) => typeof mac === 'string');

export function writeMacs(state: string, macs: MacTable): void {
  makePassage(state);
  writeWhole(join(state, FILE), `${JSON.stringify(macs, null, 1)}\n`);
}

/** How long a start waits for the others that are writing down theirs; each takes milliseconds. */
const WAIT_MS = 5_000;

/**
 * Reads the table, changes it and writes it, while no other start does. Returns what is written.
 * Errors: QL_LOCKED, and those of `change`; nothing is written then.
 */
export async function updateMacs(state: string, change: (macs: MacTable) => MacTable): Promise<MacTable> {
  makePassage(state);
  const order = { what: 'writing down MAC addresses', waitMs: WAIT_MS, dir: 'private' } as const;
  return withLock(join(state, LOCK), order, async () => {
    const macs = change(readMacs(state));
    writeMacs(state, macs);
    return macs;
  });
}

/**
 * machine-id(5): 32 hex digits. A machine without one (a bare chroot) gets MACs that differ per user only. It may be a
 * symlink, and nobody but root could have made it one.
 */
export function machineId(): string {
  try {
    return readFileSync('/etc/machine-id', 'utf8').trim();
  } catch {
    return '';
  }
}
