/** The rights that QEMU's bridge helper needs, and who may use it: 4750 root:GROUP. */

import { type Argv, DEADLINE_MS, type Step } from '../step.ts';
import { octal } from '../words.ts';

/** As dpkg-statoverride(1) has it. */
export interface StatOverride {
  readonly user: string;
  readonly group: string;
  readonly mode: string;
}

export interface HelperGrant {
  /** The real path: an override is for the file itself. */
  readonly path: string;
  /** As it is now. */
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
  readonly group: string;
  readonly groupGid: number;
  /** undefined: no package of dpkg's has the file. An override outlives the package's next upgrade. */
  readonly override: StatOverride | null | undefined;
}

const MODE = 0o4750;

/** Who may use the helper unless somebody says otherwise: the group is there wherever udev makes /dev/kvm. */
export const DEFAULT_GROUP = 'kvm';

const step = (title: string, run: Argv, undo: Argv, gone: string): Step => ({
  title,
  do: { run },
  undo: { run: undo, gone: [gone] },
  deadlineMs: DEADLINE_MS,
  durable: true,
});

/** In this order, for chown(2) takes the set-id bits away. Undone the other way round: first nobody may use it. */
export function grantHelper(grant: HelperGrant): readonly Step[] {
  const { path, uid, gid, mode, group, groupGid } = grant;
  const steps = [...keepByDpkg(grant)];
  const missing = 'No such file or directory';
  if (uid !== 0 || gid !== groupGid)
    steps.push(
      step(
        `give ${path} to root and group ${group}`,
        ['chown', `root:${group}`, path],
        ['chown', `${uid}:${gid}`, path],
        missing,
      ),
    );
  if (mode !== MODE || uid !== 0 || gid !== groupGid)
    steps.push(
      step(
        `let ${path} run as root, for members of ${group} only`,
        ['chmod', octal(MODE), path],
        ['chmod', octal(mode), path],
        missing,
      ),
    );
  return steps;
}

function keepByDpkg({ path, group, override }: HelperGrant): readonly Step[] {
  if (override === undefined) return [];
  const wanted = { user: 'root', group, mode: octal(MODE).replace(/^0/, '') };
  if (override !== null && JSON.stringify(override) === JSON.stringify(wanted)) return [];
  const add = (one: StatOverride): Argv => [
    'dpkg-statoverride',
    '--add',
    one.user,
    one.group,
    one.mode,
    path,
  ];
  const remove: Argv = ['dpkg-statoverride', '--remove', path];
  const none = 'no override present';
  const there = 'already exists';
  const old =
    override === null ? [] : [step('have dpkg forget what it kept so far', remove, add(override), there)];
  return [...old, step('have dpkg keep it so when the package is upgraded', add(wanted), remove, none)];
}

/** What it means, for the person who is asked. */
export function grantText(group: string, acl: string): readonly string[] {
  return [
    `every member of group ${group} may plug a guest into each bridge that ${acl} allows`,
    'such a guest is a machine on that network: it may send as any MAC and any address',
    'the helper does nothing else: it makes a tap, adds it to the bridge and hands it to QEMU',
  ];
}
