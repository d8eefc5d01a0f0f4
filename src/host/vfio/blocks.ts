/** Disks below a PCI function, and why the host needs them. */
import { realpathSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { BlockDevice } from '../../plan/vfio/facts.ts';
import { plainName } from '../ip-json.ts';
import { names, quietly, text } from './bus.ts';

interface Disk {
  readonly name: string;
  /** Real path in /sys, which lies below its controller. */
  readonly path: string;
  readonly uses: readonly string[];
  readonly root: boolean;
}

export type DiskUses = readonly Disk[];

/** Every disk that hangs on something. /proc/self/mountinfo: proc(5); third field is major:minor. */
export function readDisks(root: string): DiskUses {
  const mounts = (text(join(root, '/proc/self/mountinfo')) ?? '').split('\n').map((line) => line.split(' '));
  const swaps = (text(join(root, '/proc/swaps')) ?? '')
    .split('\n')
    .slice(1)
    .map((line) => basename(line.split(/\s+/)[0] ?? ''));
  const dir = join(root, '/sys/block');
  return names(dir).flatMap((name) => {
    const path = quietly(() => realpathSync(join(dir, name)));
    if (path === undefined || path.includes('/virtual/')) return [];
    const parts = names(path).filter((part) => part.startsWith(name) && text(join(path, part, 'partition')));
    const found = [path, ...parts.map((part) => join(path, part))].flatMap((at) => usesOf(at, mounts, swaps));
    const roots = found.some(({ on }) => on === '/' || on === '/boot' || on === '/usr');
    return [{ name: plainName(name), path, uses: found.map(({ why }) => why), root: roots }];
  });
}

interface Use {
  readonly why: string;
  readonly on?: string;
}

function usesOf(at: string, mounts: readonly string[][], swaps: readonly string[]): readonly Use[] {
  const [name, numbers] = [basename(at), text(join(at, 'dev'))];
  const mounted = mounts
    .filter((fields) => numbers !== undefined && fields[2] === numbers)
    .map((fields) => fields[4] ?? '?');
  return [
    ...[...new Set(mounted)].map((on) => ({ why: `${name} is mounted on ${on}`, on })),
    ...(swaps.includes(name) ? [{ why: `${name} is swap` }] : []),
    ...names(join(at, 'holders')).map((holder) => ({
      why: `${name} is part of ${holder}`,
      ...mountOf(at, holder, mounts),
    })),
  ];
}

/** A root file system on LVM or RAID: the holder's own number is what is mounted. */
function mountOf(at: string, holder: string, mounts: readonly string[][]): { readonly on?: string } {
  const numbers = text(join(at, 'holders', holder, 'dev'));
  const on = mounts.find((fields) => numbers !== undefined && fields[2] === numbers)?.[4];
  return on === undefined ? {} : { on };
}

/** `dir`: the function's own directory in /sys. */
export function blockDevices(dir: string, disks: DiskUses): readonly BlockDevice[] {
  const real = quietly(() => realpathSync(dir));
  return disks
    .filter(({ path }) => real !== undefined && path.startsWith(`${real}/`))
    .map(({ name, uses, root }) => ({ name, uses, root }));
}
