/** The translation table of seeds.md, which the README shows. */
import { readFileSync } from 'node:fs';

export interface SeedRow {
  readonly seed: string;
  /** Behind the word `qlaunch`. */
  readonly args: string;
}

export function seedRows(): readonly SeedRow[] {
  const text = readFileSync(new URL('seeds.md', import.meta.url), 'utf8');
  return [...text.matchAll(/^\| `(.+?)` +\| `qlaunch (.+?)` +\| .+ \|$/gm)].map(
    ([, seed = '', args = '']) => ({
      seed: seed.replaceAll('\\|', '|'),
      args,
    }),
  );
}
