/** Which file system a path is on. */
import { readFileSync } from 'node:fs';

export interface MountOptions {
  readonly point: string;
  /** Of the mount itself: "rw", "nosuid", … */
  readonly options: readonly string[];
}

/** proc_pid_mountinfo(5): id parent major:minor root POINT OPTIONS …; white space in a path is \040 and the like. */
export function mountOptions(real: string, table: string = readMounts()): MountOptions {
  let best: MountOptions = { point: '/', options: [] };
  for (const line of table.split('\n')) {
    const [, , , , escaped, options] = line.split(' ');
    if (escaped === undefined || options === undefined) continue;
    const point = escaped.replaceAll(/\\([0-7]{3})/g, (_, digits: string) =>
      String.fromCharCode(Number.parseInt(digits, 8)),
    );
    const holds = point === '/' || real === point || real.startsWith(`${point}/`);
    // A later line of the same point covers the earlier one.
    if (holds && point.length >= best.point.length) best = { point, options: options.split(',') };
  }
  return best;
}

const readMounts = (): string => readFileSync('/proc/self/mountinfo', 'utf8');
