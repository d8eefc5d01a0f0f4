/** Disks before QEMU sees them: there, readable, in the format they always had, on their own, and not in use. */

import { realpathSync } from 'node:fs';
import { dirname, join, parse } from 'node:path';
import { diskOption } from '../../plan/disk/disk-option.ts';
import { decideFormat } from '../../plan/disk/format-rule.ts';
import { probeMagic } from '../../plan/disk/magic.ts';
import { shellLine } from '../../plan/shell.ts';
import type { DiskFormat } from '../../spec/vm-spec.ts';
import type { Finding } from './finding.ts';
import { followChain } from './image/chain.ts';
import { imageHolder } from './image/holder.ts';
import { type CannotOpen, type ImageHead, type ImageTools, isHead, openImage } from './image/open.ts';
import { imageInfo } from './image/qemu-img.ts';
import { recordOf } from './image/record.ts';

export { readProcLocks } from './image/lock-list.ts';
export type { ImageTools } from './image/open.ts';
export { recordFormat } from './image/record.ts';

export interface DiskRequest {
  readonly file: string;
  readonly format?: DiskFormat;
  /** Read only for QEMU: a CD-ROM, `readonly=on`, or any disk under --snapshot. */
  readonly readOnly: boolean;
  /** Files outside the image's directory that it may refer to: absolute paths, or a driver's text as written. */
  readonly allow?: readonly string[];
}

export interface ResolvedDisk {
  /** All links resolved. */
  readonly file: string;
  readonly format: DiskFormat;
  readonly inode: number;
  /** The format is new to us: call recordFormat() when the VM is really started. */
  readonly record: boolean;
  /** Worth a line to the user, though nothing is refused. */
  readonly notes: readonly string[];
}

/**
 * @param stateDir where formats are recorded (VmDirs.state)
 * Returns a Finding instead of throwing, so that all disks of a VM are looked at.
 */
export async function resolveDisk(
  tools: ImageTools,
  request: DiskRequest,
  stateDir: string,
): Promise<ResolvedDisk | Finding> {
  const name = request.file;
  const head = await openImage(tools, name);
  if (!isHead(head)) return cannotOpen(request, head);
  const wrong = wrongKind(name, head) ?? (request.readOnly ? undefined : notWritable(name, head));
  if (wrong) return wrong;
  const known = recordOf(stateDir, head.path, head.inode);
  const decision = decideFormat(name, {
    probed: probeMagic(head.bytes),
    ...(request.format === undefined ? {} : { given: request.format }),
    ...(known === undefined ? {} : { recorded: known.format }),
  });
  if ('refused' in decision)
    return {
      code: 'QL_DISK_FORMAT',
      what: `will not use ${name}`,
      why: [decision.refused],
      todo: decision.cure,
    };
  const { format, record, note } = decision;
  const allow = [...(request.allow ?? []).map(canonical), ...(known?.allow ?? [])];
  const behind = await followChain(tools, { name, head, format, allow });
  if (!Array.isArray(behind)) return behind;
  const locked =
    (await inUse(tools, name, head, !request.readOnly)) ?? (await firstInUse(tools, name, behind));
  if (locked) return locked;
  return { file: head.path, format, inode: head.inode, record, notes: note === undefined ? [] : [note] };
}

/** The rule compares real paths; what is none (a driver's text, a missing file) stays as it is. */
function canonical(name: string): string {
  try {
    return realpathSync(name);
  } catch {
    return name;
  }
}

async function firstInUse(
  tools: ImageTools,
  name: string,
  behind: readonly ImageHead[],
): Promise<Finding | undefined> {
  for (const head of behind) {
    const locked = await inUse(tools, `${head.path}, which ${name} builds on,`, head, false);
    if (locked) return locked;
  }
  return undefined;
}

async function inUse(
  tools: ImageTools,
  name: string,
  head: ImageHead,
  weWrite: boolean,
): Promise<Finding | undefined> {
  const holder = await imageHolder(head, weWrite, tools.procLocks);
  if (!holder) return undefined;
  if (!holder.certain && !(await qemuImgRefuses(tools, head))) return undefined;
  const { pid, vm } = holder;
  const who = [vm === undefined ? '' : `VM ${vm}`, pid === undefined ? '' : `process ${pid}`].filter(Boolean);
  const does = holder.held === 'writes' ? 'writes to it' : 'has it open and lets nobody write';
  return {
    code: 'QL_DISK_IN_USE',
    what: `${name} is in use`,
    why: [`${who.length > 0 ? who.join(', ') : 'another QEMU (of another user)'} ${does}`],
    todo: [
      holder.ours ? `qlaunch stop ${vm}` : shellLine(['fuser', '-v', head.path]),
      // What somebody writes to is no base for anything.
      ...(holder.held === 'writes'
        ? []
        : [
            `${shellLine(['qlaunch', 'disk', 'create', besides(head.path), '--backing', head.path])}   # a disk of its own`,
            '--snapshot   # what the guest writes is then forgotten',
          ]),
    ],
  };
}

/** /srv/a.img → /srv/a-2.qcow2 */
function besides(path: string): string {
  const { dir, name } = parse(path);
  return join(dir, `${name}-2.qcow2`);
}

async function qemuImgRefuses({ host, qemuImg, runAs }: ImageTools, head: ImageHead): Promise<boolean> {
  if (!qemuImg) return false;
  try {
    await imageInfo(host, qemuImg, head.path, { format: 'raw', ignoreLocks: false, runAs });
    return false;
  } catch {
    return true;
  }
}

function cannotOpen(request: DiskRequest, { reason, words }: CannotOpen): Finding {
  const { file: name } = request;
  if (reason === 'ENOENT')
    return {
      code: 'QL_DISK_MISSING',
      what: `there is no disk ${name}`,
      why: [words],
      todo: [
        shellLine(mayBeNew(request) ? ['qlaunch', 'disk', 'create', name, '8G'] : ['ls', dirname(name)]),
      ],
    };
  return {
    code: 'QL_DISK_UNREADABLE',
    what: `cannot read the disk ${name}`,
    why: [words],
    todo: [shellLine(['namei', '-l', name])],
  };
}

/** A disk that is only read, a CD or another program's image is not helped by an empty one. */
function mayBeNew({ file, format, readOnly }: DiskRequest): boolean {
  const isOurs = format === undefined || format === 'qcow2' || format === 'raw';
  return !readOnly && isOurs && !/\.(iso|vmdk|vdi|vhdx?|vpc)$/i.test(file);
}

function wrongKind(name: string, { kind }: ImageHead): Finding | undefined {
  if (kind === 'file' || kind === 'block') return undefined;
  const is = kind === 'directory' ? 'a directory' : 'neither a file nor a block device';
  return {
    code: 'QL_DISK_KIND',
    what: `cannot use ${name} as a disk`,
    why: [`it is ${is}`],
    todo: [shellLine(['ls', '-ld', name])],
  };
}

function notWritable(name: string, { writable }: ImageHead): Finding | undefined {
  if (writable) return undefined;
  return {
    code: 'QL_DISK_READONLY',
    what: `cannot write to the disk ${name}`,
    why: ['the user that QEMU runs as may only read it'],
    todo: [diskOption(name, { readonly: 'on' }), '--snapshot   # what the guest writes is then forgotten'],
  };
}
