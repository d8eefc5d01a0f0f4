/** What an image of a known format refers to. qcow2 and raw are read here, without starting anything. */
import { QlaunchError } from '../../../errors.ts';
import { parseQcow2 } from '../../../plan/disk/qcow2.ts';
import { installLine } from '../install.ts';
import type { ImageHead, ImageTools } from './open.ts';
import { imageInfo } from './qemu-img.ts';

export interface References {
  readonly backing?: string;
  /** undefined: QEMU will probe the backing file. */
  readonly backingFormat?: string;
  /** Other files that hold the data. */
  readonly dataFiles: readonly string[];
}

/** A text says why that cannot be told. */
export async function references(
  tools: ImageTools,
  head: ImageHead,
  format: string,
): Promise<References | string> {
  if (format === 'raw') return { dataFiles: [] };
  if (format === 'qcow2') {
    const header = parseQcow2(head.bytes);
    if (typeof header === 'string') return header;
    const { dataFile, ...rest } = header;
    return { ...rest, dataFiles: dataFile === undefined ? [] : [dataFile] };
  }
  if (!tools.qemuImg) return `a ${format} image is looked into by qemu-img: ${installLine('qemu-img')}`;
  try {
    return await imageInfo(tools.host, tools.qemuImg, head.path, { format, runAs: tools.runAs });
  } catch (error) {
    if (error instanceof QlaunchError) return error.why.join('; ');
    throw error;
  }
}
