/** qlaunch disk create: a new image, and never over an old one unasked. */
import { dirname } from 'node:path';
import { EXIT, QlaunchError } from '../../errors.ts';
import { type Finding, isFinding, refusal } from '../../host/qemu/finding.ts';
import { canonicalTarget } from '../../host/qemu/image/canonical.ts';
import { type Holder, imageHolder } from '../../host/qemu/image/holder.ts';
import { isHead, openImage } from '../../host/qemu/image/open.ts';
import { releaseFile, reserveFile } from '../../host/qemu/image/reserve.ts';
import { recordFormat, resolveDisk } from '../../host/qemu/images.ts';
import { createArgv, type NewFormat } from '../../plan/disk/argv.ts';
import { backingName } from '../../plan/disk/backing-name.ts';
import { mayFollow } from '../../plan/disk/reference.ts';
import { shellLine } from '../../plan/shell.ts';
import type { Argv } from '../../plan/step.ts';
import type { DiskFormat } from '../../spec/vm-spec.ts';
import { type DiskTools, runQemuImg } from './tools.ts';

export interface CreateWish {
  /** Absolute. */
  readonly file: string;
  readonly format: NewFormat;
  /** undefined only with a backing file: as large as that. */
  readonly sizeBytes?: number;
  /** Absolute; without a format it is found as for a VM's disk. */
  readonly backing?: { readonly file: string; readonly format?: DiskFormat };
  /** Overwrite what is there. */
  readonly force: boolean;
}

export interface CreatePlan {
  readonly wish: CreateWish;
  /** What is run, as the user QEMU runs as; --dry-run prints it. */
  readonly argv: Argv;
  /** Outside the image's directory: a VM may use it because it was named here. */
  readonly allow: readonly string[];
}

/** Checks everything, changes nothing. Errors: QL_DISK_EXISTS, QL_DISK_IN_USE, QL_DISK_MISSING, QL_DISK_FORMAT, … */
export async function planCreate(tools: DiskTools, wish: CreateWish): Promise<CreatePlan> {
  const file = canonicalTarget(wish.file);
  const backing = wish.backing === undefined ? undefined : await checkBacking(tools, wish.backing);
  const old = await openImage(tools, wish.file);
  if (isHead(old)) {
    if (!wish.force) throw exists(wish.file);
    if (old.kind !== 'file')
      throw refusal([
        { code: 'QL_DISK_KIND', what: `will not overwrite ${wish.file}`, why: ['it is not a file'] },
      ]);
    if (old.path === backing?.file)
      throw refusal([
        {
          code: 'QL_DISK_BACKING',
          what: `will not overwrite ${wish.file}`,
          why: ['it is the backing file itself'],
        },
      ]);
    const holder = await imageHolder(old, true);
    if (holder?.certain) throw refusal([inUse(wish.file, holder)]);
  } else if (old.reason !== 'ENOENT' && !wish.force) throw cannotMake(wish.file, old.words);
  const directory = dirname(file);
  const outside = backing !== undefined && !mayFollow(backing.file, directory, []);
  const line = { qemuImg: tools.qemuImg, file, format: wish.format, ...size(wish) };
  const argv = createArgv(
    backing === undefined
      ? line
      : { ...line, backing: { name: backingName(backing.file, directory), format: backing.format } },
  );
  return { wish, argv, allow: outside ? [backing.file] : [] };
}

const size = ({ sizeBytes }: CreateWish): { sizeBytes?: number } =>
  sizeBytes === undefined ? {} : { sizeBytes };

async function checkBacking(
  tools: DiskTools,
  { file, format }: { readonly file: string; readonly format?: DiskFormat },
): Promise<{ file: string; format: DiskFormat }> {
  const request = { file, readOnly: true, ...(format === undefined ? {} : { format }) };
  const disk = await resolveDisk(tools, request, tools.stateDir);
  if (isFinding(disk)) throw refusal([disk]);
  return disk;
}

/** The name is taken with O_EXCL first, so that a file which appears meanwhile is not overwritten. */
export async function createDisk(tools: DiskTools, { wish, argv, allow }: CreatePlan): Promise<void> {
  const { file, force, format } = wish;
  const reserved = await reserveFile(tools, file);
  if (reserved === 'EEXIST' && !force) throw exists(file);
  if (reserved !== undefined && reserved !== 'EEXIST') throw cannotMake(file, reserved);
  try {
    await runQemuImg(tools, argv, `cannot make ${file}`);
  } catch (error) {
    // Only what we made: with --force the old file was there.
    if (reserved === undefined) await releaseFile(tools, file);
    throw error;
  }
  const made = await openImage(tools, file);
  // Its format is known from its making, so no start has to guess it.
  if (isHead(made)) recordFormat(tools.stateDir, made.path, made.inode, format, allow);
}

/** Takes back what createDisk() made a moment ago. */
export async function dropDisk(tools: DiskTools, { wish }: CreatePlan): Promise<void> {
  await releaseFile(tools, wish.file);
}

/** What cannot be looked at may be there or not. */
function cannotMake(file: string, words: string): QlaunchError {
  return new QlaunchError('QL_DISK_CREATE', EXIT.host, {
    what: `cannot make ${file}`,
    why: [words],
    todo: [shellLine(['namei', '-l', dirname(file)])],
  });
}

function exists(file: string): QlaunchError {
  return new QlaunchError('QL_DISK_EXISTS', EXIT.refused, {
    what: `will not overwrite ${file}`,
    why: ['it is there already'],
    todo: ['take another name, or --force: everything in it is lost'],
  });
}

function inUse(file: string, { vm, ours }: Holder): Finding {
  return {
    code: 'QL_DISK_IN_USE',
    what: `will not overwrite ${file}`,
    why: [vm === undefined ? 'a running QEMU uses it' : `VM ${vm} uses it`],
    todo: [ours ? `qlaunch stop ${vm}` : shellLine(['fuser', '-v', file])],
  };
}
