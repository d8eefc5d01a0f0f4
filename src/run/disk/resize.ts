/** qlaunch disk resize: larger without a question, smaller only when asked for. */
import { EXIT, QlaunchError } from '../../errors.ts';
import { isFinding, refusal } from '../../host/qemu/finding.ts';
import { imageInfo } from '../../host/qemu/image/qemu-img.ts';
import { resolveDisk } from '../../host/qemu/images.ts';
import { resizeArgv } from '../../plan/disk/argv.ts';
import type { Argv } from '../../plan/step.ts';
import type { DiskFormat } from '../../spec/vm-spec.ts';
import { type DiskTools, runQemuImg } from './tools.ts';

export interface ResizeWish {
  /** Absolute. */
  readonly file: string;
  readonly format?: DiskFormat;
  /** The new size, or what is added to the old one. */
  readonly size: { readonly toBytes: number } | { readonly byBytes: number };
  readonly shrink: boolean;
}

export interface ResizePlan {
  readonly argv: Argv;
  readonly beforeBytes: number;
  readonly afterBytes: number;
}

/** Checks everything, changes nothing. Errors: QL_DISK_SHRINK, QL_DISK_IN_USE, QL_DISK_MISSING, QL_DISK_FORMAT, … */
export async function planResize(tools: DiskTools, wish: ResizeWish): Promise<ResizePlan> {
  const { file, format: given, shrink } = wish;
  const request = { file, readOnly: false, ...(given === undefined ? {} : { format: given }) };
  const disk = await resolveDisk(tools, request, tools.stateDir);
  if (isFinding(disk)) throw refusal([disk]);
  const { host, qemuImg, runAs } = tools;
  const { virtualBytes: beforeBytes } = await imageInfo(host, qemuImg, disk.file, {
    format: disk.format,
    runAs,
  });
  const afterBytes = 'toBytes' in wish.size ? wish.size.toBytes : beforeBytes + wish.size.byBytes;
  if (afterBytes < beforeBytes && !shrink)
    throw new QlaunchError('QL_DISK_SHRINK', EXIT.refused, {
      what: `will not make ${file} smaller`,
      why: [
        `it has ${beforeBytes} bytes, ${afterBytes} were asked for: what lies behind the new end is lost`,
      ],
      todo: ['make the guest’s partitions and file systems smaller first, then: --shrink'],
    });
  const line = { qemuImg, file: disk.file, format: disk.format, sizeBytes: afterBytes };
  return { argv: resizeArgv({ ...line, shrink: afterBytes < beforeBytes }), beforeBytes, afterBytes };
}

/** Errors: QL_QEMU_IMG. */
export function resizeDisk(tools: DiskTools, { argv }: ResizePlan, file: string): Promise<void> {
  return runQemuImg(tools, argv, `cannot resize ${file}`);
}
