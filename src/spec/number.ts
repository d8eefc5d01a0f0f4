import type { Problem } from './raw.ts';

/** Decimal digits only: no sign, no exponent, no leading blank. */
export function parseWhole(text: string, at: string, from: number, to: number): number | Problem {
  const value = /^[0-9]{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= from && value <= to) return value;
  return { at, what: `"${text}" must be a whole number from ${from} to ${to}` };
}

/** QEMU's spellings (on/off, yes/no, true/false) without 1 and 0, which it does not take either. */
export function parseSwitch(text: string, at: string): boolean | Problem {
  const word = text.toLowerCase();
  if (['on', 'yes', 'true'].includes(word)) return true;
  if (['off', 'no', 'false'].includes(word)) return false;
  return { at, what: `"${text}" must be on or off` };
}

export function parseChoice<T extends string>(text: string, at: string, choices: readonly T[]): T | Problem {
  return choices.find((choice) => choice === text) ?? { at, what: `"${text}" must be ${orList(choices)}` };
}

function orList(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}
