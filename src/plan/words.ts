/** Words that a plan on paper and a plan that is run have in common. */
import { batchLine, shellLine, shellWord } from './shell.ts';

/** The text a batch tool gets on its stdin. */
export function batchText(lines: readonly { readonly words: readonly string[] }[]): string {
  return lines.map((line) => `${batchLine(line.words)}\n`).join('');
}

export function renderWrite(path: string, value: string): string {
  return `printf %s ${shellWord(value)} > ${shellWord(path)}`;
}

/** Where a file is written before it gets its name: beside it, so that rename(2) is atomic. */
export function tempBeside(path: `/${string}`, token: string): `/${string}` {
  const cut = path.lastIndexOf('/');
  return `/${path.slice(1, cut + 1)}.${path.slice(cut + 1)}.${token}`;
}

/** Extended attributes and what else of a file is not its content; from coreutils. */
export const COPY_ATTRIBUTES: readonly string[] = ['--attributes-only', '--preserve=all'];

/** Both are words for sh already. */
export function renderKeep(path: string, temp: string): string {
  return `cp ${shellLine(COPY_ATTRIBUTES)} ${path} ${temp} && touch ${temp}`;
}

export const octal = (mode: number): string => mode.toString(8).padStart(4, '0');
