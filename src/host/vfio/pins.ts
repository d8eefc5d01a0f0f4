/**
 * Which device an address meant when a VM was last started with it: a card that is put in or a new firmware numbers the
 * buses anew, and the address may be another device's then.
 */
import { join } from 'node:path';
import { makePassage } from '../vm/dirs.ts';
import { readText, writeWhole } from '../vm/store.ts';

/** By the id of the NIC or host device: "0000:81:00.0 8086:1572". */
export type Pins = Readonly<Record<string, string>>;

const FILE = 'devices.json';

/** @param owner whose row of the table */
export function readPins(state: string, owner: string): Pins {
  return tableIn(state)[owner] ?? {};
}

/** Nothing is lost where two starts write at once but a pin of one of them, which its next start writes again. */
export function writePins(state: string, owner: string, pins: Pins): void {
  const table = tableIn(state);
  makePassage(state);
  writeWhole(
    join(state, FILE),
    `${JSON.stringify({ ...table, [owner]: { ...table[owner], ...pins } }, null, 1)}\n`,
  );
}

/** A damaged table costs only the memory of it. */
function tableIn(state: string): Readonly<Record<string, Pins>> {
  try {
    const table: unknown = JSON.parse(readText(join(state, FILE)) ?? '{}');
    return isTable(table) ? table : {};
  } catch {
    return {};
  }
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;
const isTable = (value: unknown): value is Readonly<Record<string, Pins>> =>
  isObject(value) &&
  Object.values(value).every(
    (row) => isObject(row) && Object.values(row).every((pin) => typeof pin === 'string'),
  );
