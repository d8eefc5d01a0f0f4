import type { Problem } from './raw.ts';

const UNITS: Readonly<Record<string, number>> = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };

/** `512M`, `2G`, `1.5g`, `2GiB`; a bare number is in `bareUnit`. Result in bytes, a whole number. */
export function parseBytes(text: string, at: string, bareUnit: 'm' | '' = ''): number | Problem {
  const match = /^([0-9]+(?:\.[0-9]+)?)([kmgt]?)(?:i?b)?$/i.exec(text);
  const unit = UNITS[(match?.[2] || bareUnit).toLowerCase()];
  const bytes = Number(match?.[1]) * (unit ?? Number.NaN);
  if (!Number.isSafeInteger(bytes)) return { at, what: `"${text}" is not a size`, hint: 'write 512M or 2G' };
  return bytes;
}

/** RAM. QEMU takes less than 1 MiB too, but no PC starts with it. */
export function parseMemoryMiB(text: string, at: string): number | Problem {
  const bytes = parseBytes(text, at, 'm');
  if (typeof bytes !== 'number') return bytes;
  const memoryMiB = bytes / 2 ** 20;
  if (!Number.isInteger(memoryMiB)) return { at, what: `"${text}" is not a whole number of MiB` };
  if (memoryMiB < 1) return { at, what: `"${text}" is too little; a machine needs at least 1M` };
  return memoryMiB;
}
