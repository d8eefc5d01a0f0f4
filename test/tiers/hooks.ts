import { existsSync } from 'node:fs';

const root = new URL('../..', import.meta.url).pathname;

/** Absolute paths of the two programs. */
export interface Hooks {
  readonly label: string;
  readonly up: string;
  readonly down: string;
}

const inDir = (label: string, dir: string): Hooks => ({
  label,
  up: `${root}${dir}/qemu-ifup`,
  down: `${root}${dir}/qemu-ifdown`,
});

/** Straight from the clone. */
export const cloneHooks: Hooks = inDir('scripts', 'scripts');

/** What a user may name: those, and the standalone executable where it was built. */
export const hooks: readonly Hooks[] = [
  cloneHooks,
  ...(existsSync(`${root}dist/standalone/qemu-ifup`) ? [inDir('standalone', 'dist/standalone')] : []),
];
