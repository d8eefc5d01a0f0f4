/** Disks before QEMU sees them: there, readable, in the format they always had, on their own, and not in use. */

import { realpathSync } from 'node:fs';
import { decideFormat } from '../../plan/disk/format-rule.ts';
import { probeMagic } from '../../plan/disk/magic.ts';
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
  if (!isHead(head)) return cannotOpen(name, head);
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
      vm === undefined ? `fuser -v ${head.path}` : `qlaunch stop ${vm}`,
      'or give this VM a disk of its own: qlaunch disk create NEW.qcow2 --backing IMAGE',
    ],
  };
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

function cannotOpen(name: string, { reason, words }: CannotOpen): Finding {
  if (reason === 'ENOENT')
    return {
      code: 'QL_DISK_MISSING',
      what: `there is no disk ${name}`,
      why: [words],
      todo: [`qlaunch disk create ${name} 8G`],
    };
  return {
    code: 'QL_DISK_UNREADABLE',
    what: `cannot read the disk ${name}`,
    why: [words],
    todo: [`ls -lH ${name}`],
  };
}

function wrongKind(name: string, { kind }: ImageHead): Finding | undefined {
  if (kind === 'file' || kind === 'block') return undefined;
  const is = kind === 'directory' ? 'a directory' : 'neither a file nor a block device';
  return {
    code: 'QL_DISK_KIND',
    what: `cannot use ${name} as a disk`,
    why: [`it is ${is}`],
    todo: [`ls -ld ${name}`],
  };
}

function notWritable(name: string, { writable }: ImageHead): Finding | undefined {
  if (writable) return undefined;
  return {
    code: 'QL_DISK_READONLY',
    what: `cannot write to the disk ${name}`,
    why: ['the user that QEMU runs as may only read it'],
    todo: [`--disk ${name},readonly=on`, 'or --snapshot: what the guest writes is then forgotten'],
  };
}
