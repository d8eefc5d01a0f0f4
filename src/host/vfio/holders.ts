/** Who has an IOMMU group open, or a device of it: the group is for one process only. */
import { readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Holder } from '../../plan/vfio/facts.ts';
import { plainName } from '../ip-json.ts';
import { names, quietly, text } from './bus.ts';

/** As far as we may look: of other users only root sees what they have open. */
export function readHolders(root: string): readonly Holder[] {
  const proc = join(root, '/proc');
  return names(proc)
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      const fds = names(join(proc, pid, 'fd'));
      const targets = fds.map((fd) => quietly(() => readlinkSync(join(proc, pid, 'fd', fd))));
      const groups = targets.flatMap((target) => /^\/dev\/vfio\/(\d+)$/.exec(target ?? '')?.[1] ?? []);
      const command = plainName(text(join(proc, pid, 'comm')) ?? '?');
      return [...new Set(groups)].map((group) => ({ group: Number(group), pid: Number(pid), command }));
    });
}
