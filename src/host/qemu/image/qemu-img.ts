/** `qemu-img info`: for the formats whose headers we do not read ourselves. */
import { EXIT, QlaunchError } from '../../../errors.ts';
import type { Argv } from '../../../plan/step.ts';
import type { Host } from '../../port.ts';

export interface ImageInfo {
  readonly format: string;
  readonly virtualBytes: number;
  readonly allocatedBytes?: number;
  /** As the image writes it. */
  readonly backing?: string;
  readonly backingFormat?: string;
  /** Other files that hold its data: a qcow2's data file, the extents of a VMDK. */
  readonly dataFiles: readonly string[];
}

export interface InfoOptions {
  /** undefined: let qemu-img probe. */
  readonly format?: string;
  /** Look past the locks of a running QEMU. On unless it is the locks that are in question. */
  readonly ignoreLocks?: boolean;
  /** In front of qemu-img's argv: whose rights are used. */
  readonly runAs?: readonly string[];
}

/** Errors: QL_QEMU_IMG with qemu-img's own words. */
export async function imageInfo(
  host: Pick<Host, 'run'>,
  qemuImg: string,
  file: string,
  options: InfoOptions = {},
): Promise<ImageInfo> {
  const { format, ignoreLocks = true, runAs = [] } = options;
  const argv = [
    ...runAs,
    ...[qemuImg, 'info', '--output=json'],
    ...(ignoreLocks ? ['-U'] : []),
    ...(format === undefined ? [] : ['-f', format]),
    file,
  ] as unknown as Argv;
  const result = await host.run(argv, { timeoutMs: 20_000 });
  if (result.status === 0) return readInfo(JSON.parse(result.stdout), file);
  throw new QlaunchError('QL_QEMU_IMG', EXIT.host, {
    what: `qemu-img cannot read ${file}`,
    why: [result.timedOut ? 'no answer within 20 s' : result.stderr.trim()],
  });
}

interface RawInfo {
  readonly format: string;
  readonly 'virtual-size': number;
  readonly 'actual-size'?: number;
  readonly 'backing-filename'?: string;
  readonly 'backing-filename-format'?: string;
  readonly 'format-specific'?: {
    readonly data?: {
      readonly 'data-file'?: string;
      readonly extents?: readonly { readonly filename?: string }[];
    };
  };
}

function readInfo(raw: RawInfo, file: string): ImageInfo {
  const data = raw['format-specific']?.data;
  const extents = (data?.extents ?? []).map((extent) => extent.filename ?? '');
  const others = [data?.['data-file'] ?? '', ...extents].filter((name) => name !== '' && name !== file);
  return {
    format: raw.format,
    virtualBytes: raw['virtual-size'],
    dataFiles: others,
    ...(raw['actual-size'] === undefined ? {} : { allocatedBytes: raw['actual-size'] }),
    ...(raw['backing-filename'] === undefined ? {} : { backing: raw['backing-filename'] }),
    ...(raw['backing-filename-format'] === undefined
      ? {}
      : { backingFormat: raw['backing-filename-format'] }),
  };
}
