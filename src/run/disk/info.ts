/** qlaunch disk info: what an image is, as qlaunch would use it. */
import { refusal } from '../../host/qemu/finding.ts';
import { imageHolder } from '../../host/qemu/image/holder.ts';
import { isHead, openImage } from '../../host/qemu/image/open.ts';
import { imageInfo } from '../../host/qemu/image/qemu-img.ts';
import { recordOf } from '../../host/qemu/image/record.ts';
import { probeMagic } from '../../plan/disk/magic.ts';
import type { DiskTools } from './tools.ts';

/** The documented shape of `disk info --json`. */
export interface DiskInfo {
  /** All links resolved. */
  readonly file: string;
  readonly format: string;
  /** Recorded at its first use or its making; a start would use it as this. */
  readonly recorded?: string;
  /** What it begins like, where that is not its recorded format. */
  readonly beginsLike?: string;
  readonly virtualBytes: number;
  /** What it takes on the host's disk now. */
  readonly allocatedBytes?: number;
  /** As the image names it. */
  readonly backing?: string;
  readonly backingFormat?: string;
  readonly dataFiles: readonly string[];
  readonly usedBy?: { readonly pid?: number; readonly vm?: string };
}

/** Errors: QL_DISK_MISSING, QL_DISK_UNREADABLE, QL_QEMU_IMG. */
export async function diskInfo(tools: DiskTools, file: string): Promise<DiskInfo> {
  const head = await openImage(tools, file);
  if (!isHead(head)) {
    const code = head.reason === 'ENOENT' ? 'QL_DISK_MISSING' : 'QL_DISK_UNREADABLE';
    throw refusal([{ code, what: `cannot read the disk ${file}`, why: [head.words] }]);
  }
  const recorded = recordOf(tools.stateDir, head.path, head.inode)?.format;
  const probed = probeMagic(head.bytes);
  const format = recorded ?? (probed === 'other' ? undefined : probed);
  const { host, qemuImg, runAs } = tools;
  const info = await imageInfo(host, qemuImg, head.path, {
    runAs,
    ...(format === undefined ? {} : { format }),
  });
  const holder = await imageHolder(head, true);
  const { pid, vm } = holder ?? {};
  return {
    file: head.path,
    ...info,
    ...(recorded === undefined ? {} : { recorded }),
    ...(recorded === undefined || recorded === probed ? {} : { beginsLike: probed }),
    ...(holder?.certain !== true
      ? {}
      : { usedBy: { ...(pid === undefined ? {} : { pid }), ...(vm === undefined ? {} : { vm }) } }),
  };
}
