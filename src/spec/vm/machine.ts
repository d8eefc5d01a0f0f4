import type { Problem } from '../raw.ts';

export type MachineFamily = 'q35' | 'pc' | 'microvm';

/** pc-q35-9.2 is a q35, pc-i440fx-7.2 a pc. */
export function machineFamily(machine: string): MachineFamily | undefined {
  if (machine === 'q35' || machine.startsWith('pc-q35-')) return 'q35';
  if (machine === 'pc' || machine.startsWith('pc-i440fx-')) return 'pc';
  return machine === 'microvm' ? 'microvm' : undefined;
}

export function parseMachine(text: string, at: string): string | Problem {
  if (machineFamily(text) !== undefined && /^[a-z0-9.-]+$/.test(text)) return text;
  return { at, what: `"${text}" is not a machine type`, hint: 'q35, pc or microvm' };
}
