/** The rights that QEMU's bridge helper needs, and who may use it: 4750 root:GROUP. */
import { octal } from '../render.ts';
import { type Argv, DEADLINE_MS, type Step } from '../step.ts';

export interface HelperGrant {
  /** The real path: an override is for the file itself. */
  readonly path: string;
  /** As it is now. */
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
  readonly group: string;
  /** dpkg is there: its override outlives the package's next upgrade. */
  readonly dpkg: boolean;
}

const MODE = '4750';

const step = (title: string, run: Argv, undo: Argv, gone: readonly string[]): Step => ({
  title,
  do: { run },
  undo: { run: undo, gone },
  deadlineMs: DEADLINE_MS,
  durable: true,
});

/** In this order, for chown(2) takes the set-id bits away. Undone the other way round: first nobody may use it. */
export function grantHelper({ path, uid, gid, mode, group, dpkg }: HelperGrant): readonly Step[] {
  const missing = ['No such file or directory'];
  const steps = [
    step(
      `give ${path} to group ${group}`,
      ['chown', `root:${group}`, path],
      ['chown', `${uid}:${gid}`, path],
      missing,
    ),
    step(
      `let ${path} run as root for that group only`,
      ['chmod', MODE, path],
      ['chmod', octal(mode), path],
      missing,
    ),
  ];
  if (!dpkg) return steps;
  const override = step(
    `have dpkg keep it so when the package is upgraded`,
    ['dpkg-statoverride', '--add', 'root', group, MODE, path],
    ['dpkg-statoverride', '--remove', path],
    ['no override present'],
  );
  return [override, ...steps];
}

/** What it means, for the person who is asked. */
export function grantText(group: string, acl: string): readonly string[] {
  return [
    `every member of group ${group} may plug a guest into each bridge that ${acl} allows`,
    'such a guest is a machine on that network: it may send as any MAC and any address',
    'the helper itself does nothing else: it makes a tap, adds it to the bridge and hands it to QEMU',
  ];
}
